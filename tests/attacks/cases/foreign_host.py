"""The message names a host that is not this console."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V4.1.3",)


def attack(door: Door) -> Attempts:
    """Ask for pages and send a form under other names."""
    agent = door.enter()
    attempts = door.attempts(400, "host.refused")
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1]:80"):
        answer = attempts.get(agent, "/", Host=host)
        assert "evil" not in answer.text
    attempts.post(agent, "/account/notices/read", Host="evil.example")
    return attempts
