"""Somebody reads in the list of all requests what is asked about tenants that they may not see."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V8.2.3")


def attack(door: Door) -> Attempts:
    """Look through every tab without a lease, as people whom the request does not concern."""
    door.suspension_asked()
    door.asked()
    attempts = door.attempts(200, unrecorded="the list itself is everybody's, and reading it is an entry of its own")
    for who in ("administrator", "engineer", "support_agent_2", "finance"):
        browser = door.enter(who)
        for tab in ("all", "waiting", "mine"):
            text = attempts.get(browser, f"/requests?tab={tab}").text
            for told in ("Nordwind", "seats", "CTR-2026-0117"):
                assert told not in text, (who, tab, told)
    return attempts
