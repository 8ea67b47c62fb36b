"""Queue letters to a customer in the transaction of what they tell, as reason code and access policy say."""

from datetime import datetime, time, timedelta

from console.domain.disclosure import DisclosureRule, Told
from console.domain.ids import TenantId
from console.domain.trust.access_policy import Notify
from console.domain.trust.letters import Letter, LetterKind, Way
from console.ports.store import ControlUnit
from console.usecases.house import House

_STALE = timedelta(days=7)  # what an installation brings from before it wrote letters stays in the log


def queue_letter(
    house: House,
    unit: ControlUnit,
    tenant: TenantId,
    kind: LetterKind,
    *,
    about: str,
    at: datetime,
    due_at: datetime | None = None,
) -> None:
    """Queue a letter by every way; one about the same thing is queued once."""
    for way in Way:
        unit.letters.add(
            Letter(id=house.ids.new("ltr"), tenant=tenant, kind=kind, way=way, about=about, at=at, due_at=due_at or at)
        )


def tell_of_access(
    house: House, unit: ControlUnit, tenant: TenantId, rule: DisclosureRule, *, number: int, happened: datetime
) -> None:
    """Queue what is said of an access that was just shown: a letter of its own, the day's digest, or nothing."""
    now = house.clock.now()
    notify = unit.access_policies.of(tenant).notify
    if notify is Notify.NONE or now - happened > _STALE + timedelta(days=rule.delay_days):
        return
    if rule.told is Told.EACH or notify is Notify.EACH:
        queue_letter(house, unit, tenant, LetterKind.ACCESS, about=str(number), at=now)
    elif rule.told is Told.DIGEST and not unit.letters.has_digest(tenant):
        queue_letter(
            house, unit, tenant, LetterKind.DIGEST, about=str(number), at=now, due_at=_next_morning(house, now)
        )


def _next_morning(house: House, now: datetime) -> datetime:
    hour = time(house.book.limits.customer_digest_hour_utc)
    morning = datetime.combine(now.date(), hour, tzinfo=now.tzinfo)
    return morning if now < morning else morning + timedelta(days=1)
