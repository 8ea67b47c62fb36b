"""A support lead reads what signals say of them: whether they are watched, by which rule, and which canary sang."""

from tests.attacks.door import Attempts, Door
from tests.web.signal_stage import raised_signal

CHECKLIST = ("V8.2.2",)


def attack(door: Door) -> Attempts:
    """Look for it by its address, as somebody else can; the lists keep silent about it too."""
    lead, colleague = door.enter("support_lead"), door.enter("support_lead_2")
    signal = raised_signal(door.cast, about="support_lead")
    assert colleague.get(f"/signals/{signal}").status_code == 200
    assert signal in colleague.get("/signals").text
    assert signal not in lead.get("/signals").text
    alone = door.attempts(404, "route.refused")
    alone.get(lead, f"/signals/{signal}")
    return alone
