"""An on-call engineer who is frozen lifts the freeze, or freezes the administrator who set it."""

from console.domain.freezes import FreezeScope
from tests.attacks.door import Attempts, Door
from tests.attacks.frozen import freeze
from tests.web.cast import PEOPLE

CHECKLIST = ("V8.3.2", "V2.3.4")
WHY = {"reason_code": "CONTAINMENT", "reason_reference": "INC-2301", "reason_note": ""}


def attack(door: Door) -> Attempts:
    """Ask for both, with forms that were made before."""
    person, boss = PEOPLE["on_call"], PEOPLE["administrator"]
    on_call = door.enter("on_call")
    everything = freeze(door)
    lift = door.preview(on_call, "/actions/freeze.lift", {"freeze": everything}, **WHY)
    stop = door.preview(on_call, "/actions/freeze.set", {"scope": "person", "subject": boss.email}, **WHY)
    freeze(door, FreezeScope.PERSON, person.id, person.name)
    attempts = door.attempts(409, "request.refused", code="frozen")
    attempts.post(on_call, "/actions/freeze.lift", lift)
    attempts.post(on_call, "/actions/freeze.set", stop)
    return attempts
