"""Follow the trail and give each access of staff its number in the customer's log: at once, later, or after a hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.disclosure import DisclosureRule, LegalHold, Shown
from console.domain.entries import SYSTEM_ACTOR, Exposure
from console.domain.ids import ReasonCode, TenantId
from console.domain.trust.access_log import is_access, is_worth_a_letter, moment_of, reason_of
from console.ports.disclosures import Disclosure
from console.ports.store import ControlUnit
from console.ports.trail import StoredEntry
from console.usecases.access_lines import body_of_entry
from console.usecases.house import House
from console.usecases.queue_letters import tell_of_access
from console.usecases.recording import emit_as, tenant_ref

_BATCH = 500
_AT_ONCE = DisclosureRule()
_LOCK = ("disclosure", "all")  # two processes never number at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One unit's work. Shape: `holds` of a tenant are read once."""

    house: House
    unit: ControlUnit
    now: datetime
    holds: dict[TenantId, Sequence[LegalHold]]


def publish_accesses(house: House) -> int:
    """Take in what the sequencer placed, show what is due, and return how many entries and accesses were looked at."""
    return _take_in(house) + _show_due(house)


def rule_of(house: House, code: str | None) -> DisclosureRule:
    """Return when accesses under a code are shown; what has no code is shown at once."""
    rule = None if code is None else house.book.reasons.get(ReasonCode(code))
    return _AT_ONCE if rule is None else rule.disclosure


def _take_in(house: House) -> int:
    """Store every access among the next entries, and show those that wait for nothing."""
    with house.store.read() as unit:
        seen = unit.disclosures.position()
        entries = unit.reader.placed_after(seen, limit=_BATCH)
    if not entries:
        return 0
    now = house.clock.now()
    found = [each for each in map(_access, entries) if each is not None]
    with house.store.write() as unit:
        unit.throttles.lock(*_LOCK)
        if not unit.disclosures.move_on(seen, entries[-1].position or 0):
            return 0  # another process took these in
        round_ = _Round(house=house, unit=unit, now=now, holds={})
        for event, tenant, at, code, reference in found:
            rule = rule_of(house, code)
            access = Disclosure(
                event=event, tenant=tenant, at=at, reason_code=code, reference=reference, due_at=rule.due(at)
            )
            if unit.disclosures.add(access) and rule.shown is Shown.AT_ONCE:
                _show(round_, access)
    return len(entries)


def _show_due(house: House) -> int:
    now = house.clock.now()
    with house.store.read() as unit:
        if not unit.disclosures.due(now, limit=1):
            return 0
    with house.store.write() as unit:
        unit.throttles.lock(*_LOCK)
        round_ = _Round(house=house, unit=unit, now=now, holds={})
        due = unit.disclosures.due(now, limit=_BATCH)
        released: dict[TenantId, list[int]] = {}
        for access in due:
            held = _held_until(round_, access)
            if held is not None:
                unit.disclosures.postpone(access, due_at=held)
                continue
            number = _show(round_, access)
            if number is not None:
                released.setdefault(access.tenant, []).append(number)
        for tenant, numbers in released.items():
            emit_as(
                unit,
                SYSTEM_ACTOR,
                "disclosure.released",
                at=now,
                tenant=tenant_ref(unit, tenant, source="disclosure"),
                exposure=Exposure(records=len(numbers), fields=("access",)),
                facts={"first": min(numbers), "last": max(numbers)},
            )
    return len(due)


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


def _show(round_: _Round, access: Disclosure) -> int | None:
    """Give an access its number, and queue what is said of it: of openings and deeds, not of every page looked at."""
    unit = round_.unit
    number = unit.disclosures.show(access, at=round_.now)
    entries = () if number is None else unit.reader.many([access.event])
    if number is not None and any(is_worth_a_letter(body_of_entry(each.body)) for each in entries):
        rule = rule_of(round_.house, access.reason_code)
        tell_of_access(round_.house, unit, access.tenant, rule, number=number, happened=access.at)
    return number


def _access(entry: StoredEntry) -> tuple[int, TenantId, datetime, str | None, str] | None:
    """Return row id, tenant, moment, reason code and reference of an entry that is an access."""
    body = body_of_entry(entry.body)
    if not is_access(body):
        return None
    code, reference = reason_of(body)
    return entry.id, TenantId(body["tenant"]["id"]), moment_of(body), code, reference
