"""Put a tenant's shown accesses into the customer's words: the same projection for the page, the feed and letters."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from console.domain.ids import StaffId, TenantId
from console.domain.trust.access_log import AccessLine, line_of, staff_of
from console.ports.disclosures import Disclosure
from console.ports.store import ControlUnit
from console.usecases.house import House

_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAccess:
    """One line of the log with its number and when it appeared; both None while it waits."""

    disclosure: Disclosure
    line: AccessLine


def pseudonym_of(house: House, tenant: TenantId, staff: str) -> str:
    """Return by which name one tenant knows a staff member: always the same, and another one at the next tenant."""
    return f"staff-{house.fingerprints.of(f'pseudonym {tenant} {staff}')[:_DIGITS]}"


def access_lines(house: House, unit: ControlUnit, disclosures: Sequence[Disclosure]) -> list[ShownAccess]:
    """Return the lines of disclosures of one tenant, in the order given."""
    stored = {entry.id: entry for entry in unit.reader.many([each.event for each in disclosures])}
    bodies: dict[int, Mapping[str, Any]] = {event: body_of_entry(entry.body) for event, entry in stored.items()}
    people = {StaffId(who) for who in map(staff_of, bodies.values()) if who is not None}
    countries: Mapping[str, str] = dict(unit.disclosures.countries(sorted(people)).items())
    return [
        ShownAccess(
            disclosure=each,
            line=line_of(
                bodies[each.event],
                pseudonym=lambda staff, tenant=each.tenant: pseudonym_of(house, tenant, staff),  # type: ignore[misc]
                country=countries.get,
                labels=reason_labels(house),
                titles=MappingProxyType({key: action.title for key, action in house.registry.items()}),
                position=stored[each.event].position,
            ),
        )
        for each in disclosures
        if each.event in bodies
    ]


# What reading an entry may raise that no house wrote; whether it is sound is for `trail verify` to say.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def reason_labels(house: House) -> Mapping[str, str]:
    """Return the reason codes in words."""
    return {code: rule.label for code, rule in house.book.reasons.items()}


def body_of_entry(body: bytes) -> Mapping[str, Any]:
    """Return the fields of a stored entry."""
    parsed: Mapping[str, Any] = json.loads(body)  # whether it is sound is for `trail verify` to say
    return parsed
