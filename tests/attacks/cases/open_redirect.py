"""Fifteen addresses of other places are put where the console says where one goes next."""

from urllib.parse import quote

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.7.2", "V1.2.2")
PLACES = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)", "data:text/html,x", "https:evil.example", "/%2f/evil.example", "/sign-out",
    "/\tevil.example", "//localhost@evil.example", "/nowhere//evil.example", "http://localhost/",
    "/account\r\nSet-Cookie: a=b",
)  # fmt: skip


def attack(door: Door) -> Attempts:
    """Follow each while signed in; all lead home."""
    agent = door.enter()
    attempts = door.attempts(303, unrecorded="nothing is refused: the person is where they wanted to be, at home")
    for place in PLACES:
        answer = attempts.get(agent, f"/sign-in?next={quote(place, safe='')}")
        assert answer.headers["Location"] == "/", place
    return attempts
