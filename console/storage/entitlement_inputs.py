"""All that decides a tenant's entitlements, read in one transaction: a fixed number of statements for any tenant."""

from sqlalchemy import select

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
from console.storage.guards import GuardedSession
from console.storage.own_tables import OwnConditionRow
from console.storage.tenant_tables import FeatureRow


def stored_inputs(session: GuardedSession, account: Account, supposing: Supposed = AS_IT_IS) -> Inputs:
    """Return what decides the entitlements of the session's tenant, or would if links and mirror said otherwise."""
    bought = stored_bought(session, supposing)
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
            for row in session.scalars(select(ContractRow).order_by(ContractRow.id))
        ),
        conditions=(*_conditions(session), *_own_conditions(session)),
        usage=_usage(session),
        subscription=None if bought is None else bought.status,
    )
    is_suspended = account.status is TenantStatus.SUSPENDED
    return suspended(inputs, account.suspended_because) if is_suspended else inputs


def stored_features(session: GuardedSession) -> tuple[Feature, ...]:
    """Return the features of the plane's catalogue, each with its rule where it has one."""
    wanted = (
        select(FeatureRow, FeatureRuleRow)
        .join(FeatureRuleRow, FeatureRuleRow.feature_key == FeatureRow.key, isouter=True)
        .order_by(FeatureRow.key)
    )
    return tuple(_feature(row, rule) for row, rule in session.execute(wanted))


def _feature(row: FeatureRow, rule: FeatureRuleRow | None) -> Feature:
    return Feature(
        key=row.key,
        name=row.name,
        kind=FeatureKind(row.kind),
        unit=row.unit,
        unit_price_minor=row.unit_price_minor,
        currency=row.currency,
        combining=Combining(rule.combining) if rule is not None and rule.combining else None,
        default=0 if rule is None else rule.default_value,
        hard_percent=None if rule is None else rule.hard_percent,
        options=() if rule is None else tuple(rule.options),
        owner="" if rule is None else rule.owner,
    )


def _plan_versions(session: GuardedSession, bought: Bought | None) -> tuple[PlanVersion, ...]:
    if bought is None:
        return ()
    of_plan = select(PlanVersionRow).where(PlanVersionRow.plan_key == bought.plan_key)
    wanted = of_plan.order_by(PlanVersionRow.version)
    return tuple(
        PlanVersion(plan=row.plan_key, version=row.version, starts_at=row.starts_at, until=row.until)
        for row in session.scalars(wanted)
    )


def _conditions(session: GuardedSession) -> tuple[Condition, ...]:
    return tuple(
        Condition(id=row.id, kind=ConditionKind(row.kind), cause=row.cause, starts_at=row.starts_at, until=row.until)
        for row in session.scalars(select(ConditionRow).order_by(ConditionRow.id))
    )


def _own_conditions(session: GuardedSession) -> tuple[Condition, ...]:
    """Return what staff set: beside the product's own conditions, which may be a view."""
    return tuple(
        Condition(id=row.id, kind=ConditionKind(row.kind), cause=row.cause, starts_at=row.starts_at, until=row.until)
        for row in session.scalars(select(OwnConditionRow).order_by(OwnConditionRow.id))
    )


def _usage(session: GuardedSession) -> tuple[Usage, ...]:
    return tuple(
        Usage(feature=row.feature_key, used=row.used, starts_at=row.starts_at, until=row.until, as_of=row.as_of)
        for row in session.scalars(select(UsageRow).order_by(UsageRow.feature_key, UsageRow.starts_at))
    )
