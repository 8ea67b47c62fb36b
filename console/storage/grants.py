"""What plan, add-ons and overrides give a tenant, in three statements."""

from sqlalchemy import select

from console.domain.entitlements import Grant, GrantSource
from console.storage.guards import GuardedSession
from console.storage.own_tables import OverrideRow
from console.storage.tenant_tables import (
    AddOnEntitlementRow,
    AddOnRow,
    PlanEntitlementRow,
    PlanRow,
    SubscriptionAddOnRow,
    SubscriptionRow,
)


def stored_grants(session: GuardedSession, feature: str | None) -> list[Grant]:
    """Return all grants of the session's tenant, for one feature or all, in the order plan, add-on, override."""
    return [*_of_plan(session, feature), *_of_add_ons(session, feature), *_of_overrides(session, feature)]


def _of_plan(session: GuardedSession, feature: str | None) -> list[Grant]:
    wanted = (
        select(SubscriptionRow, PlanEntitlementRow, PlanRow.name)
        .join(PlanEntitlementRow, PlanEntitlementRow.plan_key == SubscriptionRow.plan_key)
        .join(PlanRow, PlanRow.key == SubscriptionRow.plan_key, isouter=True)
        .order_by(PlanEntitlementRow.feature_key)
    )
    if feature is not None:
        wanted = wanted.where(PlanEntitlementRow.feature_key == feature)
    return [
        Grant(
            source=GrantSource.PLAN,
            id=given.plan_key,
            label=plan_name or given.plan_key,
            feature=given.feature_key,
            value=given.value,
            starts_at=subscription.started_at,
            until=None,
        )
        for subscription, given, plan_name in session.execute(wanted)
    ]


def _of_add_ons(session: GuardedSession, feature: str | None) -> list[Grant]:
    wanted = (
        select(SubscriptionAddOnRow, AddOnEntitlementRow, AddOnRow.name)
        .join(AddOnEntitlementRow, AddOnEntitlementRow.add_on_key == SubscriptionAddOnRow.add_on_key)
        .join(AddOnRow, AddOnRow.key == SubscriptionAddOnRow.add_on_key, isouter=True)
        .order_by(AddOnEntitlementRow.feature_key, SubscriptionAddOnRow.id)
    )
    if feature is not None:
        wanted = wanted.where(AddOnEntitlementRow.feature_key == feature)
    return [
        Grant(
            source=GrantSource.ADD_ON,
            id=bought.id,
            label=_times(name or bought.add_on_key, bought.quantity),
            feature=given.feature_key,
            value=given.value * bought.quantity,
            starts_at=bought.starts_at,
            until=bought.until,
            ended_at=bought.ended_at,
        )
        for bought, given, name in session.execute(wanted)
    ]


def _times(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{name} \u00d7 {quantity}"


def _of_overrides(session: GuardedSession, feature: str | None) -> list[Grant]:
    wanted = select(OverrideRow).order_by(OverrideRow.feature, OverrideRow.starts_at, OverrideRow.id)
    if feature is not None:
        wanted = wanted.where(OverrideRow.feature == feature)
    return [
        Grant(
            source=GrantSource.OVERRIDE,
            id=row.id,
            label=row.label,
            feature=row.feature,
            value=row.value,
            starts_at=row.starts_at,
            until=row.until,
            ended_at=row.ended_at,
            reference=row.reference,
        )
        for row in session.scalars(wanted)
    ]
