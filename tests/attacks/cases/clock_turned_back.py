"""The server's clock is turned back to before the lease was opened, to live longer."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V2.3.2",)


def attack(door: Door) -> Attempts:
    """Turn the clock back by a few seconds more than the lease is old."""
    door.cast.clock.pass_by(minutes=1)
    agent = door.enter()
    door.cast.clock.pass_by(seconds=10)
    door.open(agent)
    door.cast.clock.pass_by(seconds=-5)
    attempts = door.attempts(404, "tenant.read_refused", code="lease_ended", settles=("lease",))
    attempts.get(agent, "/t/nordwind/members")
    return attempts
