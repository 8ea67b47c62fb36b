"""Accounting periods: calendar months in UTC, prepared by one person, closed by another, reopened by approval."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NewType

from console.domain.canonical import digest_hex
from console.domain.errors import BadValueError
from console.domain.ids import Digest, RequestId, StaffId, TenantId

PeriodId = NewType("PeriodId", str)  # YYYY-MM
RULES = 1  # version of what a period holds and how its files are written

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_MONTHS = 12


class PeriodState(StrEnum):
    """Where a period stands."""

    OPEN = "open"
    PREPARING = "preparing"  # a job freezes what it holds, tenant by tenant
    SOFT_CLOSED = "soft_closed"  # frozen and counted; late items go to the next
    CLOSED = "closed"
    REOPENED = "reopened"


class PeriodEvent(StrEnum):
    """What can happen to a period."""

    PREPARE = "prepare"
    FROZEN = "frozen"
    GIVE_UP = "give_up"
    CLOSE = "close"
    REOPEN = "reopen"


_S, _E = PeriodState, PeriodEvent
TRANSITIONS: Mapping[tuple[PeriodState, PeriodEvent], PeriodState] = {
    (_S.OPEN, _E.PREPARE): _S.PREPARING,
    (_S.REOPENED, _E.PREPARE): _S.PREPARING,
    (_S.SOFT_CLOSED, _E.PREPARE): _S.PREPARING,
    (_S.PREPARING, _E.FROZEN): _S.SOFT_CLOSED,
    (_S.PREPARING, _E.GIVE_UP): _S.OPEN,
    (_S.SOFT_CLOSED, _E.CLOSE): _S.CLOSED,
    (_S.CLOSED, _E.REOPEN): _S.REOPENED,
}


def after(state: PeriodState, event: PeriodEvent) -> PeriodState | None:
    """Return the state that follows, or None when the event is not legal in this state."""
    return TRANSITIONS.get((state, event))


def period_id(text: str) -> PeriodId:
    """Return a period. Raises: BadValueError for anything but YYYY-MM."""
    if not _MONTH.fullmatch(text):
        message = "A period is a month."
        raise BadValueError(message, field="period", remedy="Name it like 2026-10.")
    return PeriodId(text)


def bounds(period: PeriodId) -> tuple[datetime, datetime]:
    """Return the first moment of a period and the first after it."""
    year, month = (int(part) for part in period.split("-"))
    return datetime(year, month, 1, tzinfo=UTC), _first(year * _MONTHS + month)


def period_at(moment: datetime) -> PeriodId:
    """Return the period that a moment falls into."""
    return PeriodId(f"{moment.astimezone(UTC):%Y-%m}")


def before(period: PeriodId) -> PeriodId:
    """Return the period before."""
    year, month = (int(part) for part in period.split("-"))
    return period_at(_first(year * _MONTHS + month - 2))


def following(period: PeriodId) -> PeriodId:
    """Return the next period."""
    return period_at(bounds(period)[1])


def _first(months: int) -> datetime:
    return datetime(months // _MONTHS, months % _MONTHS + 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenObject:
    """One object as a period holds it: its digest, and the state in which it was booked."""

    digest: Digest
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenSet:
    """What a period holds of one tenant: objects by `kind:id`, receivables at the end by currency, and its digest."""

    period: PeriodId
    objects: Mapping[str, FrozenObject]
    closing: Mapping[str, int]
    frozen_at: datetime

    @property
    def digest(self) -> Digest:
        """Return the digest of what is held; when it was frozen is not part of it."""
        held = {name: [each.digest, each.status] for name, each in sorted(self.objects.items())}
        return Digest(digest_hex([RULES, self.period, held, dict(sorted(self.closing.items()))]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """One file of a period: how many rows, totals by currency, and its SHA-256. Units: minor units, bytes."""

    name: str
    rows: int
    totals: Mapping[str, int]
    sha256: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who asked or agreed, by the name that was borne then."""

    staff: StaffId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """That a period was closed or reopened: who asked, who agreed, by which request. Shape: `event` is one of those."""

    event: PeriodEvent
    asked_by: Signer
    agreed_by: tuple[Signer, ...]
    at: datetime
    request: RequestId | None

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON, as the manifest tells it and a row keeps it."""
        return {
            "event": self.event.value,
            "asked_by": {"staff": self.asked_by.staff, "name": self.asked_by.name},
            "agreed_by": [{"staff": each.staff, "name": each.name} for each in self.agreed_by],
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "request": self.request,
        }


def agreement_of(plain: Mapping[str, Any]) -> Agreement:
    """Return the agreement that was written as plain JSON."""
    asked, request = plain["asked_by"], plain["request"]
    return Agreement(
        event=PeriodEvent(plain["event"]),
        asked_by=Signer(staff=StaffId(asked["staff"]), name=asked["name"]),
        agreed_by=tuple(Signer(staff=StaffId(each["staff"]), name=each["name"]) for each in plain["agreed_by"]),
        at=datetime.fromisoformat(plain["at"]),
        request=None if request is None else RequestId(request),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period as stored.

    Shape: `digest` chains the digests of all tenants' sets in order of id; `files` are what was written of them, and
    `previous` what stood there before the period was reopened; `cursor` is the last tenant that was frozen;
    `agreements` are all its closings and reopenings, from old to new.
    """

    id: PeriodId
    state: PeriodState
    version: int
    rules: int = RULES
    prepared_by: StaffId | None = None
    prepared_at: datetime | None = None
    tenants: int = 0
    digest: Digest | None = None
    files: tuple[SealedFile, ...] = ()
    closed_by: StaffId | None = None
    closed_at: datetime | None = None
    request: RequestId | None = None
    times_reopened: int = 0
    cursor: TenantId | None = None
    previous: tuple[SealedFile, ...] = ()
    agreements: tuple[Agreement, ...] = ()

    @property
    def since(self) -> datetime:
        """Return its first moment."""
        return bounds(self.id)[0]

    @property
    def until(self) -> datetime:
        """Return the first moment after it."""
        return bounds(self.id)[1]


def chained(chain: Digest | None, tenant: TenantId, held: Digest) -> Digest:
    """Return the digest over all sets so far and one more."""
    return Digest(digest_hex([chain, tenant, held]))


def open_period(period: PeriodId) -> Period:
    """Return a period that nobody has touched."""
    return Period(id=period, state=PeriodState.OPEN, version=0)
