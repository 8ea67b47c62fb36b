"""All that decides a tenant's entitlements, read in one transaction: a fixed number of statements for any tenant."""

from typing import Any

from sqlalchemy import bindparam, select

from console.domain.access_changes import suspended
from console.domain.bought import Bought
from console.domain.entitlements import (
    Combining,
    Condition,
    ConditionKind,
    Contract,
    Feature,
    FeatureKind,
    Inputs,
    PlanVersion,
    Usage,
)
from console.domain.tenancy import TenantStatus
from console.domain.workspace import Account
from console.storage.bought import stored_bought
from console.storage.entitlement_tables import ConditionRow, ContractRow, FeatureRuleRow, PlanVersionRow, UsageRow
from console.storage.grants import stored_grants
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import OwnConditionRow
from console.storage.prepared import Prepared
from console.storage.rows import found
from console.storage.tenant_tables import FeatureRow


def stored_inputs(session: GuardedSession, account: Account) -> Inputs:
    """Return what decides the entitlements of the session's tenant."""
    bought = stored_bought(session)
    inputs = Inputs(
        features=stored_features(session),
        grants=tuple(stored_grants(session, None, bought=bought)),
        plan_versions=_plan_versions(session, bought),
        contracts=tuple(
            Contract(
                id=row.id,
                label=row.label,
                plan=row.plan_key,
                version=row.version,
                starts_at=row.starts_at,
                until=row.until,
            )
            for row in session.scoped(_CONTRACTS)
        ),
        conditions=_conditions(session),
        usage=_usage(session),
        subscription=None if bought is None else bought.status,
    )
    is_suspended = account.status is TenantStatus.SUSPENDED
    return suspended(inputs, account.suspended_because) if is_suspended else inputs


def stored_features(session: GuardedSession) -> tuple[Feature, ...]:
    """Return the features of the plane's catalogue, each with its rule where it has one."""
    return tuple(_feature(row) for row in found(session, _FEATURES))


def _feature(row: Any) -> Feature:  # noqa: ANN401  a row of both tables; all of the rule is None where there is none
    return Feature(
        key=row.key,
        name=row.name,
        kind=FeatureKind(row.kind),
        unit=row.unit,
        unit_price_minor=row.unit_price_minor,
        currency=row.currency,
        combining=Combining(row.combining) if row.combining else None,
        default=row.default_value or 0,
        hard_percent=row.hard_percent,
        options=tuple(row.options or ()),
        owner=row.owner or "",
    )


def _plan_versions(session: GuardedSession, bought: Bought | None) -> tuple[PlanVersion, ...]:
    if bought is None:
        return ()
    return tuple(
        PlanVersion(plan=row.plan_key, version=row.version, starts_at=row.starts_at, until=row.until)
        for row in found(session, _VERSIONS, plan=bought.plan_key)
    )


def _conditions(session: GuardedSession) -> tuple[Condition, ...]:
    """Return the product's own conditions, which may be a view, and beside them what staff set."""
    return tuple(
        Condition(id=row.id, kind=ConditionKind(row.kind), cause=row.cause, starts_at=row.starts_at, until=row.until)
        for conditions in (_CONDITIONS, _OWN_CONDITIONS)
        for row in session.scoped(conditions)
    )


def _usage(session: GuardedSession) -> tuple[Usage, ...]:
    return tuple(
        Usage(feature=row.feature_key, used=row.used, starts_at=row.starts_at, until=row.until, as_of=row.as_of)
        for row in session.scoped(_USAGE)
    )


_RULE = FeatureRuleRow
_FEATURES = Prepared(
    select(FeatureRow, _RULE.combining, _RULE.default_value, _RULE.hard_percent, _RULE.options, _RULE.owner)
    .join(_RULE, _RULE.feature_key == FeatureRow.key, isouter=True)
    .order_by(FeatureRow.key)
)
_VERSIONS = Prepared(
    select(PlanVersionRow).where(PlanVersionRow.plan_key == bindparam("plan")).order_by(PlanVersionRow.version)
)
_CONTRACTS = Scoped(select(ContractRow).order_by(ContractRow.id))
_CONDITIONS = Scoped(select(ConditionRow).order_by(ConditionRow.id))
_OWN_CONDITIONS = Scoped(select(OwnConditionRow).order_by(OwnConditionRow.id))
_USAGE = Scoped(select(UsageRow).order_by(UsageRow.feature_key, UsageRow.starts_at))
