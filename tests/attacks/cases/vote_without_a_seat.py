"""Staff whose role has no seat in the request vote all the same, while it waits and when it is over."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.1", "V2.3.5")
# The rules that refuse: some roles never vote at all, the others hold no seat of this request.
REFUSED = {"support_agent_2": "role_missing", "support_lead": "not_an_approver", "administrator": "not_an_approver"}


def attack(door: Door) -> tuple[Attempts, ...]:
    """Let an agent, the wrong lead and an administrator approve a paid raise; none of them learns how it stands."""
    agent = door.inside()
    pending, cancelled = (door.ask(agent) for _ in range(2))
    assert agent.post(f"/requests/{cancelled}/cancellation").status_code == 303
    sheets = []
    for who, code in REFUSED.items():
        attempts = door.attempts(403, "request.vote_refused", code=code)
        browser = door.enter(who)
        for request in (pending, cancelled):
            attempts.post(browser, f"/requests/{request}/votes", door.ballot(request))
        sheets.append(attempts)
    return tuple(sheets)
