"""What plan, contract, trial, add-ons and overrides give a tenant: one statement for each kind of source."""

from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

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

P = TypeVar("P", bound=Prepared)
_Statement: TypeAlias = Select[*tuple[Any, ...]]


def stored_grants(session: GuardedSession, feature: str | None, *, bought: Bought | None) -> list[Grant]:
    """Return all grants of the session's tenant, for one feature or all, in the order in which they are considered."""
    return [
        *_of_plan(session, feature, bought),
        *_of_plan_versions(session, feature, bought),
        *_of_contracts(session, feature),
        *_of_trials(session, feature),
        *_of_add_ons(session, feature),
        *_of_overrides(session, feature),
    ]


def _of_plan(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=row.plan_key,
            label=row.name or row.plan_key,
            feature=row.feature_key,
            value=row.value,
            starts_at=bought.started_at,
            until=None,
        )
        for row in _listed(session, _PLAN, feature, plan=bought.plan_key)
    ]


def _of_plan_versions(session: GuardedSession, feature: str | None, bought: Bought | None) -> list[Grant]:
    if bought is None:
        return []
    return [
        Grant(
            source=GrantSource.PLAN,
            id=row.plan_key,
            label=f"{row.name or row.plan_key}, version {row.version}",
            feature=row.feature_key,
            value=row.value,
            starts_at=max(bought.started_at, row.starts_at),
            until=row.until,
            version=row.version,
        )
        for row in _listed(session, _VERSIONS, feature, plan=bought.plan_key)
    ]


def _of_contracts(session: GuardedSession, feature: str | None) -> list[Grant]:
    """Return what contracts give: those of a dated version of a plan, then those of the plan itself."""
    return [
        Grant(
            source=GrantSource.CONTRACT,
            id=row.id,
            label=row.label,
            feature=row.feature_key,
            value=row.value,
            starts_at=row.starts_at,
            until=row.until,
            version=row.version,
        )
        for signed in (_SIGNED, _SIGNED_UNDATED)
        for row in _owned(session, signed, feature)
    ]


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
        for row in _owned(session, _TRIALS, feature)
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
        for row in _owned(session, _ADD_ONS, feature)
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
        for row in _owned(session, _OVERRIDES, feature)
    ]


def _owned(session: GuardedSession, wanted: tuple[Scoped, Scoped], feature: str | None) -> list[Any]:
    every, one = wanted
    return session.scoped(every) if feature is None else session.scoped(one, feature=feature)


def _listed(session: GuardedSession, wanted: tuple[Prepared, Prepared], feature: str | None, *, plan: str) -> list[Any]:
    every, one = wanted
    if feature is None:
        return list(found(session, every, plan=plan))
    return list(found(session, one, plan=plan, feature=feature))


def _prepared(kind: type[P], wanted: _Statement, feature: InstrumentedAttribute[str]) -> tuple[P, P]:
    """Return the statement for all features, and for one."""
    return kind(wanted), kind(wanted.where(feature == bindparam("feature")))


_GIVEN, _DATED = PlanEntitlementRow, PlanVersionEntitlementRow
_BOUGHT, _IN_ADD_ON = SubscriptionAddOnRow, AddOnEntitlementRow
_CONTRACT = (ContractRow.id, ContractRow.label, ContractRow.version, ContractRow.starts_at, ContractRow.until)
_PLAN = _prepared(
    Prepared,
    select(_GIVEN.plan_key, _GIVEN.feature_key, _GIVEN.value, PlanRow.name)
    .select_from(_GIVEN)
    .join(PlanRow, PlanRow.key == _GIVEN.plan_key, isouter=True)
    .where(_GIVEN.plan_key == bindparam("plan"))
    .order_by(_GIVEN.feature_key),
    _GIVEN.feature_key,
)
_VERSIONS = _prepared(
    Prepared,
    select(
        _DATED.plan_key, _DATED.version, _DATED.feature_key, _DATED.value,
        PlanVersionRow.starts_at, PlanVersionRow.until, PlanRow.name,
    )
    .select_from(_DATED)
    .join(
        PlanVersionRow, (PlanVersionRow.plan_key == _DATED.plan_key) & (PlanVersionRow.version == _DATED.version)
    )
    .join(PlanRow, PlanRow.key == _DATED.plan_key, isouter=True)
    .where(_DATED.plan_key == bindparam("plan"))
    .order_by(_DATED.feature_key, _DATED.version),
    _DATED.feature_key,
)  # fmt: skip
_SIGNED = _prepared(
    Scoped,
    select(*_CONTRACT, _DATED.feature_key, _DATED.value)
    .select_from(ContractRow)
    .join(_DATED, (_DATED.plan_key == ContractRow.plan_key) & (_DATED.version == ContractRow.version))
    .order_by(ContractRow.id),
    _DATED.feature_key,
)
_SIGNED_UNDATED = _prepared(
    Scoped,
    select(*_CONTRACT, _GIVEN.feature_key, _GIVEN.value)
    .select_from(ContractRow)
    .join(_GIVEN, (_GIVEN.plan_key == ContractRow.plan_key) & (ContractRow.version == 0))
    .order_by(ContractRow.id),
    _GIVEN.feature_key,
)
_TRIALS = _prepared(Scoped, select(TrialRow).order_by(TrialRow.feature_key, TrialRow.id), TrialRow.feature_key)
_ADD_ONS = _prepared(
    Scoped,
    select(
        _BOUGHT.id, _BOUGHT.add_on_key, _BOUGHT.quantity, _BOUGHT.starts_at, _BOUGHT.until, _BOUGHT.ended_at,
        _IN_ADD_ON.feature_key, _IN_ADD_ON.value, AddOnRow.name,
    )
    .select_from(_BOUGHT)
    .join(_IN_ADD_ON, _IN_ADD_ON.add_on_key == _BOUGHT.add_on_key)
    .join(AddOnRow, AddOnRow.key == _BOUGHT.add_on_key, isouter=True)
    .order_by(_IN_ADD_ON.feature_key, _BOUGHT.id),
    _IN_ADD_ON.feature_key,
)  # fmt: skip
_OVERRIDES = _prepared(
    Scoped,
    select(OverrideRow).order_by(OverrideRow.feature, OverrideRow.starts_at, OverrideRow.id),
    OverrideRow.feature,
)
