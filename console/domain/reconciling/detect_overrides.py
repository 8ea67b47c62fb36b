"""Row 28: running overrides that nobody owns, that never end, that nobody gave a reason for, or that change nothing."""

from collections.abc import Iterator
from dataclasses import replace

from console.domain.effective_set import effective_of, without_suspension
from console.domain.entitlements import Grant, Inputs, Op
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, moment


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield what is wrong with running overrides, in order of id."""
    books = reading.books
    inputs = without_suspension(books.inputs)
    for grant in sorted(books.overrides, key=lambda each: each.id):
        if not grant.is_live(books.now):
            continue
        if not grant.owner:
            yield _finding(reading, "override_without_owner", grant, ours="no owner")
        if not grant.label and not grant.reference:
            yield _finding(reading, "override_without_reason", grant, ours="no label, no reference")
        if grant.end is None:
            yield _finding(reading, "override_without_expiry", grant, ours="no end")
        if grant.op is not Op.DENY and _changes_nothing(reading, inputs, grant):
            yield _finding(reading, "override_now_in_plan", grant, ours="the same without it")


def _changes_nothing(reading: Reading, inputs: Inputs, grant: Grant) -> bool:
    rest = replace(inputs, grants=tuple(each for each in inputs.grants if each != grant))
    now = reading.books.now
    before, after = effective_of(grant.feature, inputs, now), effective_of(grant.feature, rest, now)
    if before is None or after is None:
        return False
    return (before.value, before.access) == (after.value, after.access)


def _finding(reading: Reading, kind: str, grant: Grant, *, ours: str) -> Candidate:
    return Candidate(
        kind=kind,
        tenant=reading.books.tenant,
        objects=(grant.id,),
        ours=ours,
        theirs=f"{grant.feature} {grant.op.value} {grant.value}",
        direction=Direction.NOBODY,
        params={"override": grant.id},
        evidence={
            "label": grant.label or NOTHING,
            "reference": grant.reference or NOTHING,
            "owner": grant.owner or NOTHING,
            "ends": moment(grant.end),
        },
        happened_at=grant.starts_at,
    )
