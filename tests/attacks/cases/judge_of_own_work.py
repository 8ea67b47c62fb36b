"""A lead judges what they did themselves, what they approved, and what they gain by; a colleague judges it twice."""

from console.domain.ids import PersonKey
from console.domain.reviews import ReviewKind
from console.usecases.open_review import Judged, open_review
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V8.3.2", "V2.3.4", "EAM-90")
WHY = {"reason_code": "REVIEW", "reason_reference": "REV-2026-11", "reason_note": ""}
PATH = "/actions/review.decide"


def attack(door: Door) -> tuple[Attempts, ...]:
    """Give verdicts on three reviews in which the lead had a part."""
    lead = door.enter("support_lead")
    sheets = []
    for part, code in (("acted", "own_review"), ("approved", "reviewer_approved"), ("gains", "reviewer_gains")):
        fields = {"review": opened(door, part), "verdict": "ok", "because": "All of it was right."}
        form = door.preview(lead, PATH, fields, **WHY)
        sheet = door.attempts(403, "request.refused", code=code)
        sheet.post(lead, PATH, form)
        sheets.append(sheet)
    return tuple(sheets)


def opened(door: Door, part: str) -> str:
    """Open a review in which the lead had one part and the on-call engineer the others."""
    house = door.cast.house

    def who(wanted: str) -> PersonKey:
        return PersonKey(f"local|{PEOPLE['support_lead' if part == wanted else 'on_call'].id}")

    actor = PEOPLE["support_lead" if part == "acted" else "on_call"]
    judged = Judged(
        subject=f"req_{part}",
        title="Suspend the tenant",
        tenant=None,
        actor=actor.id,
        actor_name=actor.name,
        person=who("acted"),
        approvers=frozenset({who("approved")}),
        gainers=frozenset({who("gains")}),
    )
    with house.store.write() as unit:
        review = open_review(house, unit, ReviewKind.BREAK_GLASS, judged, now=house.clock.now())
    assert review is not None
    return review.id
