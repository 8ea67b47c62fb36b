"""The register of overrides: when each ends, who answers for it, what it costs, and whether it still makes sense."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.access_changes import without_grant
from console.domain.effective_set import effective_of, without_suspension
from console.domain.effective_store import what_if
from console.domain.entitlements import Grant, GrantSource, Inputs
from console.domain.ids import TenantId

REMIND_BEFORE = timedelta(days=7)
_REMINDERS = (REMIND_BEFORE, timedelta(days=1))
_CANCELLED = frozenset({"canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One override as the register knows it: dates, owner and money, never what it gives or of what.

    Shape: `is_redundant` is where the tenant would have the same without it, `is_orphaned` where its subscription is
    cancelled. Units: `monthly_minor` is the list price of what it gives beyond the rest, a month.
    """

    tenant: TenantId
    override: str
    starts_at: datetime
    until: datetime | None
    owner: str
    monthly_minor: int
    currency: str
    is_redundant: bool
    is_orphaned: bool
    checked_at: datetime
    reminded_at: datetime | None = None

    def wants_reminder(self, now: datetime) -> bool:
        """Return whether its owner is to be told that it ends: a week before, and a day before once more."""
        until = self.until
        if not self.owner or until is None or until <= now:
            return False
        due = [until - ahead for ahead in _REMINDERS if until - ahead <= now]
        return bool(due) and (self.reminded_at is None or self.reminded_at < max(due))


def registered(inputs: Inputs, tenant: TenantId, now: datetime) -> tuple[Registered, ...]:
    """Return the overrides of a tenant that have not ended, measured as if nobody had suspended it."""
    known = without_suspension(inputs)
    return tuple(
        _registered(grant, known, tenant, now)
        for grant in known.grants
        if grant.source is GrantSource.OVERRIDE and grant.ended_at is None and not _is_over(grant, now)
    )


def _registered(grant: Grant, inputs: Inputs, tenant: TenantId, now: datetime) -> Registered:
    moment = max(now, grant.starts_at)
    minor, currency = monthly_cost(grant, inputs, moment)
    return Registered(
        tenant=tenant,
        override=grant.id,
        starts_at=grant.starts_at,
        until=grant.until,
        owner=grant.owner,
        monthly_minor=minor,
        currency=currency,
        is_redundant=not what_if(inputs, without_grant(inputs, grant.id), moment).rows,
        is_orphaned=inputs.subscription in _CANCELLED,
        checked_at=now,
    )


def monthly_cost(grant: Grant, inputs: Inputs, now: datetime) -> tuple[int, str]:
    """Return the list price of what an override gives beyond the rest, a month, with its currency."""
    row = effective_of(grant.feature, inputs, now)
    rest = effective_of(grant.feature, without_grant(inputs, grant.id), now)
    if row is None or rest is None:
        return 0, ""
    feature = row.feature
    beyond = max(0, row.value - rest.value) if feature.is_counted else int(row.value > rest.value)
    return beyond * feature.unit_price_minor, feature.currency


def carried_over(new: Registered, old: Registered | None) -> Registered:
    """Return a fresh row with what was remembered: a reminder counts for the owner and the end that it named."""
    if old is None or (old.owner, old.until) != (new.owner, new.until):
        return new
    return replace(new, reminded_at=old.reminded_at)


def _is_over(grant: Grant, now: datetime) -> bool:
    return grant.until is not None and grant.until <= now
