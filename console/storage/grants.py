"""What plan, contract, trial, add-ons and overrides give a tenant: one statement for each kind of source."""

from sqlalchemy import select

from console.domain.bought import Bought
from console.domain.entitlements import Grant, GrantSource, Op
from console.storage.entitlement_tables import ContractRow, PlanVersionEntitlementRow, PlanVersionRow, TrialRow
from console.storage.guards import GuardedSession
from console.storage.own_tables import IMPORTER, OverrideRow
from console.storage.tenant_tables import (
    AddOnEntitlementRow,
    AddOnRow,
    PlanEntitlementRow,
    PlanRow,
    SubscriptionAddOnRow,
)


def stored_grants(session: GuardedSession, feature: str | None, *, bought: Bought | None) -> list[Grant]:
    """Return all grants of the session's tenant, for one feature or all, in the order in which they are considered."""
    return [
        *_of_plan(session, feature, bought),
        *_of_plan_versions(session, feature, bought),
        *_of_contracts(session, feature),
        *_of_undated_contracts(session, feature),
        *_of_trials(session, feature),
        *_of_add_ons(session, feature),
        *_of_overrides(session, feature),
    ]


def _of_plan(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    wanted = (
        select(PlanEntitlementRow, PlanRow.name)
        .join(PlanRow, PlanRow.key == PlanEntitlementRow.plan_key, isouter=True)
        .where(PlanEntitlementRow.plan_key == bought.plan_key)
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
            starts_at=bought.started_at,
            until=None,
        )
        for given, plan_name in session.execute(wanted)
    ]


def _of_plan_versions(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    given = PlanVersionEntitlementRow
    is_of_version = (PlanVersionRow.plan_key == given.plan_key) & (PlanVersionRow.version == given.version)
    wanted = (
        select(given, PlanVersionRow, PlanRow.name)
        .join(PlanVersionRow, is_of_version)
        .join(PlanRow, PlanRow.key == given.plan_key, isouter=True)
        .where(given.plan_key == bought.plan_key)
        .order_by(given.feature_key, given.version)
    )
    if feature is not None:
        wanted = wanted.where(given.feature_key == feature)
    return [
        Grant(
            source=GrantSource.PLAN,
            id=gives.plan_key,
            label=f"{plan_name or gives.plan_key}, version {gives.version}",
            feature=gives.feature_key,
            value=gives.value,
            starts_at=max(bought.started_at, dated.starts_at),
            until=dated.until,
            version=gives.version,
        )
        for gives, dated, plan_name in session.execute(wanted)
    ]


def _of_contracts(session: GuardedSession, feature: str | None) -> list[Grant]:
    given = PlanVersionEntitlementRow
    is_signed = (given.plan_key == ContractRow.plan_key) & (given.version == ContractRow.version)
    wanted = select(ContractRow, given.feature_key, given.value).join(given, is_signed).order_by(ContractRow.id)
    if feature is not None:
        wanted = wanted.where(given.feature_key == feature)
    return [_signed(signed, key, value) for signed, key, value in session.execute(wanted)]


def _of_undated_contracts(session: GuardedSession, feature: str | None) -> list[Grant]:
    given = PlanEntitlementRow
    is_signed = (given.plan_key == ContractRow.plan_key) & (ContractRow.version == 0)
    wanted = select(ContractRow, given.feature_key, given.value).join(given, is_signed).order_by(ContractRow.id)
    if feature is not None:
        wanted = wanted.where(given.feature_key == feature)
    return [_signed(signed, key, value) for signed, key, value in session.execute(wanted)]


def _signed(contract: ContractRow, feature: str, value: int) -> Grant:
    return Grant(
        source=GrantSource.CONTRACT,
        id=contract.id,
        label=contract.label,
        feature=feature,
        value=value,
        starts_at=contract.starts_at,
        until=contract.until,
        version=contract.version,
    )


def _of_trials(session: GuardedSession, feature: str | None) -> list[Grant]:
    wanted = select(TrialRow).order_by(TrialRow.feature_key, TrialRow.id)
    if feature is not None:
        wanted = wanted.where(TrialRow.feature_key == feature)
    return [
        Grant(
            source=GrantSource.TRIAL,
            id=row.id,
            label=row.label,
            feature=row.feature_key,
            value=row.value,
            starts_at=row.starts_at,
            until=row.until,
        )
        for row in session.scalars(wanted)
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
            op=Op(row.op),
            owner=row.owner or ("" if row.granted_by == IMPORTER else row.granted_by),
        )
        for row in session.scalars(wanted)
    ]
