"""What plan, contract, trial, add-ons and overrides give a tenant: one statement for each kind of source."""

from typing import Any

from sqlalchemy import bindparam, select

from console.domain.bought import Bought
from console.domain.entitlements import Grant, GrantSource, Op
from console.storage.entitlement_tables import ContractRow, PlanVersionEntitlementRow, PlanVersionRow, TrialRow
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import IMPORTER, OverrideRow
from console.storage.prepared import Prepared
from console.storage.rows import found
from console.storage.tenant_tables import (
    AddOnEntitlementRow,
    AddOnRow,
    PlanEntitlementRow,
    PlanRow,
    SubscriptionAddOnRow,
)


def stored_grants(session: GuardedSession, *, bought: Bought | None) -> list[Grant]:
    """Return all grants of the session's tenant, in the order in which they are considered."""
    return [
        *_of_plan(session, bought),
        *_of_plan_versions(session, bought),
        *(_signed(row) for row in session.scoped(_CONTRACTS)),
        *(_signed(row) for row in session.scoped(_UNDATED_CONTRACTS)),
        *(_tried(row) for row in session.scoped(_TRIALS)),
        *(_added(row) for row in session.scoped(_ADD_ONS)),
        *(_overridden(row) for row in session.scoped(_OVERRIDES)),
    ]


def _of_plan(session: GuardedSession, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=given.plan_key,
            label=given.name or given.plan_key,
            feature=given.feature_key,
            value=given.value,
            starts_at=bought.started_at,
            until=None,
        )
        for given in found(session, _PLAN, plan=bought.plan_key)
    ]


def _of_plan_versions(session: GuardedSession, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=given.plan_key,
            label=f"{given.name or given.plan_key}, version {given.version}",
            feature=given.feature_key,
            value=given.value,
            starts_at=max(bought.started_at, given.starts_at),
            until=given.until,
            version=given.version,
        )
        for given in found(session, _PLAN_VERSIONS, plan=bought.plan_key)
    ]


def _signed(row: Any) -> Grant:  # noqa: ANN401  a row of any making
    return Grant(
        source=GrantSource.CONTRACT,
        id=row.id,
        label=row.label,
        feature=row.feature_key,
        value=row.value,
        starts_at=row.starts_at,
        until=row.until,
        version=row.version,
    )


def _tried(row: Any) -> Grant:  # noqa: ANN401  a row of any making
    return Grant(
        source=GrantSource.TRIAL,
        id=row.id,
        label=row.label,
        feature=row.feature_key,
        value=row.value,
        starts_at=row.starts_at,
        until=row.until,
    )


def _added(row: Any) -> Grant:  # noqa: ANN401  a row of any making
    return Grant(
        source=GrantSource.ADD_ON,
        id=row.id,
        label=_times(row.name or row.add_on_key, row.quantity),
        feature=row.feature_key,
        value=row.value * row.quantity,
        starts_at=row.starts_at,
        until=row.until,
        ended_at=row.ended_at,
    )


def _times(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{name} \u00d7 {quantity}"


def _overridden(row: Any) -> Grant:  # noqa: ANN401  a row of any making
    return Grant(
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


_GIVEN, _DATED = PlanEntitlementRow, PlanVersionEntitlementRow
_PLAN = Prepared(
    select(_GIVEN.plan_key, _GIVEN.feature_key, _GIVEN.value, PlanRow.name)
    .join(PlanRow, PlanRow.key == _GIVEN.plan_key, isouter=True)
    .where(_GIVEN.plan_key == bindparam("plan"))
    .order_by(_GIVEN.feature_key)
)
_PLAN_VERSIONS = Prepared(
    select(
        _DATED.plan_key, _DATED.version, _DATED.feature_key, _DATED.value,
        PlanVersionRow.starts_at, PlanVersionRow.until, PlanRow.name,
    )
    .join(PlanVersionRow, (PlanVersionRow.plan_key == _DATED.plan_key) & (PlanVersionRow.version == _DATED.version))
    .join(PlanRow, PlanRow.key == _DATED.plan_key, isouter=True)
    .where(_DATED.plan_key == bindparam("plan"))
    .order_by(_DATED.feature_key, _DATED.version)
)  # fmt: skip
_SIGNED = (ContractRow.id, ContractRow.label, ContractRow.version, ContractRow.starts_at, ContractRow.until)
_CONTRACTS = Scoped(
    select(*_SIGNED, _DATED.feature_key, _DATED.value)
    .join(_DATED, (_DATED.plan_key == ContractRow.plan_key) & (_DATED.version == ContractRow.version))
    .order_by(ContractRow.id)
)
_UNDATED_CONTRACTS = Scoped(
    select(*_SIGNED, _GIVEN.feature_key, _GIVEN.value)
    .join(_GIVEN, (_GIVEN.plan_key == ContractRow.plan_key) & (ContractRow.version == 0))
    .order_by(ContractRow.id)
)
_TRIALS = Scoped(select(TrialRow).order_by(TrialRow.feature_key, TrialRow.id))
_BOUGHT, _EACH = SubscriptionAddOnRow, AddOnEntitlementRow
_ADD_ONS = Scoped(
    select(
        _BOUGHT.id, _BOUGHT.add_on_key, _BOUGHT.quantity, _BOUGHT.starts_at, _BOUGHT.until, _BOUGHT.ended_at,
        _EACH.feature_key, _EACH.value, AddOnRow.name,
    )
    .join(_EACH, _EACH.add_on_key == _BOUGHT.add_on_key)
    .join(AddOnRow, AddOnRow.key == _BOUGHT.add_on_key, isouter=True)
    .order_by(_EACH.feature_key, _BOUGHT.id)
)  # fmt: skip
_OVERRIDES = Scoped(select(OverrideRow).order_by(OverrideRow.feature, OverrideRow.starts_at, OverrideRow.id))
