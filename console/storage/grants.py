"""What plan, contract, trial, add-ons and overrides give a tenant: one statement for each kind of source."""

from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from console.domain.bought import Bought
from console.domain.entitlements import Grant, GrantSource, Op
from console.storage.entitlement_tables import ContractRow, PlanVersionEntitlementRow, PlanVersionRow, TrialRow
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import IMPORTER, OverrideRow
from console.storage.prepared import Prepared
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
        *(_signed(row) for contracts in (_CONTRACTS, _UNDATED_CONTRACTS) for row in contracts.rows(session, feature)),
        *_of_trials(session, feature),
        *_of_add_ons(session, feature),
        *_of_overrides(session, feature),
    ]


class _Given:
    """A statement over what sources give: of every feature, or of one."""

    def __init__(
        self, statement: Select[*tuple[Any, ...]], feature: InstrumentedAttribute[str], made: type[Prepared] = Scoped
    ) -> None:
        """Build both forms once."""
        self._all = made(statement)
        self._one = made(statement.where(feature == bindparam("feature")))

    def rows(self, session: GuardedSession, feature: str | None, **values: object) -> list[Any]:
        """Return the rows of the session's tenant."""
        statement = self._all if feature is None else self._one
        given = values if feature is None else {**values, "feature": feature}
        if isinstance(statement, Scoped):
            return session.scoped(statement, **given)
        return statement.rows(session.connection(), given)


def _of_plan(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=row.plan_key,
            label=row.plan_name or row.plan_key,
            feature=row.feature_key,
            value=row.value,
            starts_at=bought.started_at,
            until=None,
        )
        for row in _PLAN.rows(session, feature, plan=bought.plan_key)
    ]


def _of_plan_versions(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=row.plan_key,
            label=f"{row.plan_name or row.plan_key}, version {row.version}",
            feature=row.feature_key,
            value=row.value,
            starts_at=max(bought.started_at, row.starts_at),
            until=row.until,
            version=row.version,
        )
        for row in _PLAN_VERSIONS.rows(session, feature, plan=bought.plan_key)
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


def _of_trials(session: GuardedSession, feature: str | None) -> list[Grant]:
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
        for row in _TRIALS.rows(session, feature)
    ]


def _of_add_ons(session: GuardedSession, feature: str | None) -> list[Grant]:
    return [
        Grant(
            source=GrantSource.ADD_ON,
            id=row.id,
            label=_times(row.name or row.add_on_key, row.quantity),
            feature=row.feature_key,
            value=row.value * row.quantity,
            starts_at=row.starts_at,
            until=row.until,
            ended_at=row.ended_at,
        )
        for row in _ADD_ONS.rows(session, feature)
    ]


def _times(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{name} \u00d7 {quantity}"


def _of_overrides(session: GuardedSession, feature: str | None) -> list[Grant]:
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
        for row in _OVERRIDES.rows(session, feature)
    ]


_VERSIONED = PlanVersionEntitlementRow
_CONTRACT = (
    ContractRow.id,
    ContractRow.label,
    ContractRow.version,
    ContractRow.starts_at,
    ContractRow.until,
)
_PLAN = _Given(
    select(
        PlanEntitlementRow.plan_key,
        PlanEntitlementRow.feature_key,
        PlanEntitlementRow.value,
        PlanRow.name.label("plan_name"),
    )
    .join(PlanRow, PlanRow.key == PlanEntitlementRow.plan_key, isouter=True)
    .where(PlanEntitlementRow.plan_key == bindparam("plan"))
    .order_by(PlanEntitlementRow.feature_key),
    PlanEntitlementRow.feature_key,
    Prepared,
)
_PLAN_VERSIONS = _Given(
    select(
        _VERSIONED.plan_key,
        _VERSIONED.version,
        _VERSIONED.feature_key,
        _VERSIONED.value,
        PlanVersionRow.starts_at,
        PlanVersionRow.until,
        PlanRow.name.label("plan_name"),
    )
    .join(
        PlanVersionRow,
        (PlanVersionRow.plan_key == _VERSIONED.plan_key) & (PlanVersionRow.version == _VERSIONED.version),
    )
    .join(PlanRow, PlanRow.key == _VERSIONED.plan_key, isouter=True)
    .where(_VERSIONED.plan_key == bindparam("plan"))
    .order_by(_VERSIONED.feature_key, _VERSIONED.version),
    _VERSIONED.feature_key,
    Prepared,
)
_CONTRACTS = _Given(
    select(*_CONTRACT, _VERSIONED.feature_key, _VERSIONED.value)
    .join(_VERSIONED, (_VERSIONED.plan_key == ContractRow.plan_key) & (_VERSIONED.version == ContractRow.version))
    .order_by(ContractRow.id),
    _VERSIONED.feature_key,
)
_UNDATED_CONTRACTS = _Given(
    select(*_CONTRACT, PlanEntitlementRow.feature_key, PlanEntitlementRow.value)
    .join(PlanEntitlementRow, (PlanEntitlementRow.plan_key == ContractRow.plan_key) & (ContractRow.version == 0))
    .order_by(ContractRow.id),
    PlanEntitlementRow.feature_key,
)
_TRIALS = _Given(select(TrialRow).order_by(TrialRow.feature_key, TrialRow.id), TrialRow.feature_key)
_ADD_ONS = _Given(
    select(
        SubscriptionAddOnRow.id,
        SubscriptionAddOnRow.add_on_key,
        SubscriptionAddOnRow.quantity,
        SubscriptionAddOnRow.starts_at,
        SubscriptionAddOnRow.until,
        SubscriptionAddOnRow.ended_at,
        AddOnEntitlementRow.feature_key,
        AddOnEntitlementRow.value,
        AddOnRow.name,
    )
    .join(AddOnEntitlementRow, AddOnEntitlementRow.add_on_key == SubscriptionAddOnRow.add_on_key)
    .join(AddOnRow, AddOnRow.key == SubscriptionAddOnRow.add_on_key, isouter=True)
    .order_by(AddOnEntitlementRow.feature_key, SubscriptionAddOnRow.id),
    AddOnEntitlementRow.feature_key,
)
_OVERRIDES = _Given(
    select(OverrideRow).order_by(OverrideRow.feature, OverrideRow.starts_at, OverrideRow.id), OverrideRow.feature
)
