"""Read what an opened tenant may use at a moment, why, and what changes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.decisions import Deny
from console.domain.effective_changes import Upcoming, upcoming
from console.domain.effective_set import effective
from console.domain.effective_store import Effects, Standing, StoredSet, effects_on, standing
from console.domain.entitlements import Condition, Entitlement
from console.domain.entries import TargetRef
from console.domain.ids import TenantId
from console.domain.staff import Actor
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, read_opened

_CHANGES = 8
_FARTHEST = 60  # changes looked at, to say of each feature until when its value holds


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementPage:
    """Every feature with its value at a moment, the chain behind it, and the next changes after that moment.

    Shape: `conditions` are those that hold at the moment; `is_now` says whether it is the present one; `ends` says by a
    feature's key when its value or access next changes; `stored` is what the product reads, `standing` and
    `effects` how it stands to what holds now and what recalculating would change.
    """

    opened: Opened
    now: datetime
    at: datetime
    is_now: bool
    entitlements: Sequence[Entitlement]
    upcoming: Sequence[Upcoming]
    ends: Mapping[str, datetime]
    conditions: Sequence[Condition]
    subscription: str | None
    stored: StoredSet | None
    standing: Standing
    effects: Effects


def read_entitlements(
    house: House, actor: Actor, *, tenant: TenantId, at: datetime | None = None
) -> EntitlementPage | Deny:
    """Return every entitlement with winners and losers, now or at another moment, which the entry names.

    Raises: NotFoundError for an unknown tenant.
    """
    now = house.clock.now()
    moment = now if at is None else at
    about = () if at is None else (TargetRef(type="moment", id=at.isoformat()),)

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> EntitlementPage:
        inputs, stored = plane.inputs(), plane.effective_set()
        changes = upcoming(inputs, moment, most=_FARTHEST)
        return EntitlementPage(
            opened=opened,
            now=now,
            at=moment,
            is_now=at is None,
            entitlements=effective(inputs, moment),
            upcoming=changes[:_CHANGES],
            ends={row.after.feature.key: each.at for each in reversed(changes) for row in each.changes},
            conditions=[condition for condition in inputs.conditions if condition.is_live(moment)],
            subscription=inputs.subscription,
            stored=stored,
            standing=standing(stored, inputs, source_version=plane.account().entitlement_version, now=now),
            effects=effects_on(stored, inputs, now),
        )

    return read_opened(
        house, actor, tenant, page="entitlements", read=read, records=lambda page: len(page.entitlements), about=about
    )
