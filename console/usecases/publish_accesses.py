"""Follow the trail and give each access of staff its number in the customer's log: at once, later, or after a hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from console.domain.disclosure import DisclosureRule, LegalHold, Shown
from console.domain.entries import SYSTEM_ACTOR, Exposure
from console.domain.ids import ReasonCode, TenantId
from console.domain.trust.access_log import is_access, is_worth_a_letter, line_of, moment_of, reason_of
from console.ports.disclosures import Disclosure
from console.ports.store import ControlUnit
from console.ports.trail import StoredEntry
from console.usecases.access_lines import UNREADABLE, body_of_entry
from console.usecases.house import House
from console.usecases.queue_letters import tell_of_access
from console.usecases.recording import emit_as, tenant_ref

_BATCH = 200  # each is one write, for which every page waits
_AT_ONCE = DisclosureRule()
_LOCK = ("disclosure", "all")  # two processes never number at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One unit's work. Shape: `numbers` are the last ones given; `holds` of a tenant are read once."""

    house: House
    unit: ControlUnit
    now: datetime
    numbers: dict[TenantId, int]
    holds: dict[TenantId, Sequence[LegalHold]] = field(default_factory=dict)

    def shown(self, access: Disclosure) -> Disclosure:
        """Return an access with the next number of its tenant."""
        number = self.numbers[access.tenant] = self.numbers.get(access.tenant, 0) + 1
        return replace(access, number=number, shown_at=self.now)


def publish_accesses(house: House) -> bool:
    """Take in what the sequencer placed, show what is due, and return whether there may be more of either."""
    is_behind = _take_in(house)
    return _show_due(house) or is_behind


def rule_of(house: House, code: str | None) -> DisclosureRule:
    """Return when accesses under a code are shown; what has no code is shown at once."""
    rule = None if code is None else house.book.reasons.get(ReasonCode(code))
    return _AT_ONCE if rule is None else rule.disclosure


def _take_in(house: House) -> bool:
    """Store every access among the next entries, and show those that wait for nothing."""
    with house.store.read() as unit:
        seen = unit.disclosures.position()
        entries = unit.reader.placed_after(seen, limit=_BATCH)
    if not entries:
        return False
    now = house.clock.now()
    read = {entry.id: access for entry in entries if (access := _seen(house, entry)) is not None}
    bodies = {event: body for event, (body, _waiting) in read.items()}
    found = [waiting for _body, waiting in read.values()]
    at_once = {each.event for each in found if rule_of(house, each.reason_code).shown is Shown.AT_ONCE}
    with house.store.write() as unit:
        unit.throttles.lock(*_LOCK)
        if not unit.disclosures.move_on(seen, entries[-1].position or 0):
            return True  # another process took these in
        known = unit.disclosures.last_numbers({each.tenant for each in found if each.event in at_once})
        round_ = _Round(house=house, unit=unit, now=now, numbers=known)
        told = [round_.shown(each) if each.event in at_once else each for each in found]
        unit.disclosures.add(told)
        for each in told:
            _tell(round_, each, bodies[each.event])
    return len(entries) == _BATCH


def _show_due(house: House) -> bool:
    now = house.clock.now()
    with house.store.read() as unit:
        if not unit.disclosures.due(now, limit=1):
            return False
    with house.store.write() as unit:
        unit.throttles.lock(*_LOCK)
        due = unit.disclosures.due(now, limit=_BATCH)
        known = unit.disclosures.last_numbers({each.tenant for each in due})
        round_ = _Round(house=house, unit=unit, now=now, numbers=known)
        released: dict[TenantId, list[Disclosure]] = {}
        for access in due:
            held = _held_until(round_, access)
            if held is None:
                released.setdefault(access.tenant, []).append(round_.shown(access))
            else:
                unit.disclosures.postpone(access, due_at=held)
        for tenant, shown in released.items():
            _release(round_, tenant, shown)
    return len(due) == _BATCH


def _release(round_: _Round, tenant: TenantId, shown: Sequence[Disclosure]) -> None:
    """Show a tenant what waited, and write an entry of it."""
    unit = round_.unit
    unit.disclosures.show(shown)
    entries = {each.id: body_of_entry(each.body) for each in unit.reader.many([each.event for each in shown])}
    for each in shown:
        _tell(round_, each, entries[each.event])
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "disclosure.released",
        at=round_.now,
        tenant=tenant_ref(unit, tenant, source="disclosure"),
        exposure=Exposure(records=len(shown), fields=("access",)),
        facts={"first": shown[0].number, "last": shown[-1].number},
    )


def _held_until(round_: _Round, access: Disclosure) -> datetime | None:
    """Return until when holds keep an access back, or None where none stands over it."""
    rule = round_.house.book.reasons.get(ReasonCode(access.reason_code or ""))
    if rule is not None and rule.disclosure.shown is not Shown.WITHHELD:
        return None
    if access.tenant not in round_.holds:
        round_.holds[access.tenant] = round_.unit.legal_holds.of(access.tenant)
    standing = [
        hold.until
        for hold in round_.holds[access.tenant]
        if hold.reference == access.reference and hold.stands(round_.now)
    ]
    return max(standing, default=None)


def _tell(round_: _Round, access: Disclosure, body: Mapping[str, Any]) -> None:
    """Queue what is said of an access that was shown: of openings and deeds, not of every page looked at."""
    if access.number is not None and is_worth_a_letter(body):
        rule = rule_of(round_.house, access.reason_code)
        tell_of_access(round_.house, round_.unit, access.tenant, rule, number=access.number, happened=access.at)


def _seen(house: House, entry: StoredEntry) -> tuple[Mapping[str, Any], Disclosure] | None:
    """Return an entry of an access, and how it waits to be shown; None for any other, and for one that nobody can read.

    Everything that is said of it later is tried here, where an entry of somebody else's making can still be left out.
    """
    try:
        body = body_of_entry(entry.body)
        if not is_access(body):
            return None
        is_worth_a_letter(body)
        line_of(body, pseudonym=str, country=lambda _staff: None, labels={}, titles={}, position=entry.position)
        access = _access(house, entry.id, body)
    except UNREADABLE:
        return None
    said = access.tenant, access.reference, access.reason_code or ""
    return (body, access) if all(isinstance(each, str) for each in said) else None


def _access(house: House, event: int, body: Mapping[str, Any]) -> Disclosure:
    """Return an access as it waits to be shown, of the entry with this row id."""
    at = moment_of(body)
    code, reference = reason_of(body)
    return Disclosure(
        event=event,
        tenant=TenantId(body["tenant"]["id"]),
        at=at,
        reason_code=code,
        reference=reference,
        due_at=rule_of(house, code).due(at),
    )
