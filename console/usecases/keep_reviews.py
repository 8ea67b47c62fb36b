"""Draw what is reviewed by sample, see that nobody goes a month without, and tell of what is overdue."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from console.domain.canonical import NotCanonicalError, parse_canonical
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.ids import ActionKey, RequestId, StaffId
from console.domain.jobs import Job
from console.domain.reasons import BREAK_GLASS, Effect
from console.domain.reviews import Review, ReviewKind, is_sampled
from console.domain.staff import Role
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.notices import tell
from console.usecases.open_review import PATH, judged_request, named, open_review
from console.usecases.recording import emit_as

KEEP_REVIEWS_JOB = "review.keep"
KEEP_REVIEWS_EVERY_S = 600
SAMPLE_WITHIN = timedelta(days=7)
_LOOK_BACK = timedelta(hours=26)
_PAGE = 200
_FLOOR_FROM_DAY, _LATE_DAYS = 25, 3
_OVERDUE = 50
_TOLD = (Role.SECURITY_AUDITOR, Role.ADMINISTRATOR)
_NEVER = frozenset({ActionKey("review.decide")})  # a verdict on a verdict would have no end


def keep_reviews(house: House, _job: Job) -> Done:
    """Sample the last day, keep the monthly floor, escalate; each step is safe to repeat.

    Shape: what people ran is read page by page, to the end and with nobody held up: only what is drawn is written.
    """
    now = house.clock.now()
    for page in _executed(house, since=now - _LOOK_BACK, until=now):
        sampled = [body for body, uid in page if is_sampled(uid, Effect(body["effect"]))]
        if sampled:
            with house.store.write() as unit:
                for body in sampled:
                    _sample(house, unit, body, now=now)
    for begin, end in floor_months(now):
        _keep_floor(house, begin, end, now=now)
    with house.store.write() as unit:
        for review in unit.reviews.overdue(now, limit=_OVERDUE):
            _escalate(house, unit, review, now=now)
    return Done()


def floor_months(now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Return the months whose floor is kept now: this one from its 25th day, the last one in the first three days."""
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = []
    if now.day <= _LATE_DAYS:
        months.append(((begin - timedelta(days=1)).replace(day=1), begin))
    if now.day >= _FLOOR_FROM_DAY:
        months.append((begin, now))
    return tuple(months)


def _keep_floor(house: House, begin: datetime, end: datetime, *, now: datetime) -> None:
    """Draw one piece of everybody's work of a month who has none under review: the least hash, which nobody chooses."""
    least: dict[str, tuple[bytes, str, dict[str, Any]]] = {}
    for page in _executed(house, since=begin, until=end):
        for body, uid in page:
            drawn = (sha256(uid.encode()).digest(), uid, body)
            staff = str(body["actor"]["id"])
            if staff not in least or drawn[:2] < least[staff][:2]:
                least[staff] = drawn
    with house.store.write() as unit:
        for staff, (_hash, _uid, body) in sorted(least.items()):
            member = unit.staff.get(StaffId(staff))
            if member is not None and not unit.reviews.has_of_month(member.person, begin):
                _sample(house, unit, body, now=now)


def _executed(house: House, *, since: datetime, until: datetime) -> Iterator[list[tuple[dict[str, Any], str]]]:
    """Yield what people ran, newest first, in pages, each read in a unit of its own."""
    wanted = EntryFilter(action="action.executed", since=since, until=until)
    before: int | None = None
    while True:
        with house.store.read() as unit:
            page = unit.reader.page(wanted, before=before, limit=_PAGE)
        said = ((_read(stored), stored.uid) for stored in page)
        yield [(body, uid) for body, uid in said if body is not None and body["governed"] not in _NEVER]
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _read(stored: StoredEntry) -> dict[str, Any] | None:
    """Return what an entry says of a run, None for one that no house wrote: `trail verify` names it."""
    try:
        body: Any = parse_canonical(stored.body)
        said = Effect(body["effect"]), body["governed"], body["correlation"], body["actor"]["id"]
    except (NotCanonicalError, KeyError, TypeError, ValueError):
        return None
    return body if all(isinstance(each, str) for each in said) else None


def _sample(house: House, unit: ControlUnit, body: dict[str, Any], *, now: datetime) -> None:
    request = unit.requests.get(RequestId(str(body["correlation"])))
    if request is None or request.reason.code == BREAK_GLASS:  # that is reviewed as what it is
        return
    title = request.preview.sentence or str(body["governed"])
    judged = judged_request(unit, request, title=title)
    open_review(house, unit, ReviewKind.SAMPLE, judged, now=now, within=SAMPLE_WITHIN)


def _escalate(house: House, unit: ControlUnit, review: Review, *, now: datetime) -> None:
    if not unit.reviews.escalate(review.id, at=now):
        return
    told = {member.id for member in unit.staff.eligible(_TOLD)} | ({review.owner} if review.owner else set())
    for staff in sorted(told - {review.actor}):
        sentence = f"Overdue review: {named(review)}"
        tell(house, unit, staff, kind="review_overdue", sentence=sentence, path=PATH, at=now)
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "review.overdue",
        at=now,
        targets=(TargetRef(type="review", id=review.id, name=review.kind.label),),
        correlation=review.subject,
        facts={"told": len(told - {review.actor})},
    )
