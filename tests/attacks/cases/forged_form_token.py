"""Forms come without a token, with another session's, with a changed one, and with one that is no text."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.5.1", "V16.3.3")


def attack(door: Door) -> Attempts:
    """Try to vote and to sign somebody out."""
    request = door.asked()
    other = door.enter("support_agent_2")
    stranger = door.cast.stranger()
    stranger.get("/sign-in")
    lead = door.cast.sign_in("finance_lead", browser=stranger)
    before = stranger.token
    lead.get(f"/requests/{request}")
    attempts = door.attempts(400, "csrf.refused")
    tokens = ("", "x", other.token, before[:-4] + "AAAA", "ключ", "\u202e" + lead.token, lead.token[::-1], "a" * 5_000)
    for token in tokens:
        attempts.post(lead, f"/requests/{request}/votes", door.ballot(request), token=token)
    attempts.post(lead, "/sign-out", token="\u00e9")
    return attempts
