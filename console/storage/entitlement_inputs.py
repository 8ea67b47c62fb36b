"""All that decides a tenant's entitlements, read in one transaction: a fixed number of statements for any tenant."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, select

from console.domain.access_changes import suspended
from console.domain.bought import AS_IT_IS, Bought, Supposed
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
from console.storage.prepared import Kept, Prepared
from console.storage.rows import kept
from console.storage.tenant_tables import FeatureRow


def stored_inputs(session: GuardedSession, account: Account, supposing: Supposed = AS_IT_IS) -> Inputs:
    """Return what decides the entitlements of the session's tenant, or would if links and mirror said otherwise."""
    bought = stored_bought(session, supposing)
    inputs = Inputs(
        features=stored_features(session),
        grants=tuple(stored_grants(session, bought=bought)),
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
        conditions=tuple(_conditions(session)),
        usage=tuple(
            Usage(feature=row.feature_key, used=row.used, starts_at=row.starts_at, until=row.until, as_of=row.as_of)
            for row in session.scoped(_USAGE)
        ),
        subscription=None if bought is None else bought.status,
    )
    is_suspended = account.status is TenantStatus.SUSPENDED
    return suspended(inputs, account.suspended_because) if is_suspended else inputs


def stored_features(session: GuardedSession) -> tuple[Feature, ...]:
    """Return the features of the plane's catalogue, each with its rule where it has one."""
    return tuple(kept(session, _FEATURES, _SHOWN_FEATURE))


def _feature(row: Any) -> Feature:  # noqa: ANN401  a row of any making
    has_rule = row.feature_key is not None
    return Feature(
        key=row.key,
        name=row.name,
        kind=FeatureKind(row.kind),
        unit=row.unit,
        unit_price_minor=row.unit_price_minor,
        currency=row.currency,
        combining=Combining(row.combining) if row.combining else None,
        default=row.default_value if has_rule else 0,
        hard_percent=row.hard_percent,
        options=tuple(row.options) if has_rule else (),
        owner=row.owner if has_rule else "",
    )


def _plan_versions(session: GuardedSession, bought: Bought | None) -> tuple[PlanVersion, ...]:
    if bought is None:
        return ()
    return tuple(kept(session, _PLAN_VERSIONS, _SHOWN_VERSION, plan=bought.plan_key))


def _version(row: Any) -> PlanVersion:  # noqa: ANN401  a row of any making
    return PlanVersion(plan=row.plan_key, version=row.version, starts_at=row.starts_at, until=row.until)


def _conditions(session: GuardedSession) -> Iterator[Condition]:
    """Yield the product's own conditions, which may be a view, and then what staff set."""
    for statement in (_CONDITIONS, _OWN_CONDITIONS):
        for row in session.scoped(statement):
            yield Condition(
                id=row.id, kind=ConditionKind(row.kind), cause=row.cause, starts_at=row.starts_at, until=row.until
            )


_FEATURES = Prepared(
    select(
        FeatureRow.key,
        FeatureRow.name,
        FeatureRow.kind,
        FeatureRow.unit,
        FeatureRow.unit_price_minor,
        FeatureRow.currency,
        FeatureRuleRow.feature_key,
        FeatureRuleRow.combining,
        FeatureRuleRow.default_value,
        FeatureRuleRow.hard_percent,
        FeatureRuleRow.options,
        FeatureRuleRow.owner,
    )
    .join(FeatureRuleRow, FeatureRuleRow.feature_key == FeatureRow.key, isouter=True)
    .order_by(FeatureRow.key)
)
_SHOWN_FEATURE = Kept(_feature)
_PLAN_VERSIONS = Prepared(
    select(PlanVersionRow).where(PlanVersionRow.plan_key == bindparam("plan")).order_by(PlanVersionRow.version)
)
_SHOWN_VERSION = Kept(_version)
_CONTRACTS = Scoped(select(ContractRow).order_by(ContractRow.id))
_CONDITIONS = Scoped(select(ConditionRow).order_by(ConditionRow.id))
_OWN_CONDITIONS = Scoped(select(OwnConditionRow).order_by(OwnConditionRow.id))
_USAGE = Scoped(select(UsageRow).order_by(UsageRow.feature_key, UsageRow.starts_at))
