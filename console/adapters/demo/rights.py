"""What decides the entitlements of a demo tenant, made from its records as a plane makes it from its tables."""

from collections.abc import Iterator
from datetime import UTC, datetime

from console.adapters.demo import histories, standings
from console.adapters.demo.price_list import ADD_ONS, ENTITLEMENTS, FEATURES, PLAN_VERSIONS, PLANS, VERSION_ENTITLEMENTS
from console.adapters.demo.sketches import Sketch
from console.domain.entitlements import (
    Combining,
    Condition,
    ConditionKind,
    Contract,
    Feature,
    FeatureKind,
    Grant,
    GrantSource,
    Inputs,
    Op,
    PlanVersion,
    Usage,
)
from console.domain.imports import SubscriptionRecord

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_ADD_ONS = {each.key: each for each in ADD_ONS}
_NAMES = {each.key: each.name for each in PLANS}
_GIVEN = {plan.key: sorted((e.feature, e.value) for e in ENTITLEMENTS if e.plan == plan.key) for plan in PLANS}
_VERSIONS = {
    plan.key: tuple(
        PlanVersion(plan=each.plan, version=each.version, starts_at=each.starts_at, until=each.until)
        for each in PLAN_VERSIONS
        if each.plan == plan.key
    )
    for plan in PLANS
}
CATALOGUE = tuple(
    Feature(
        key=each.key,
        name=each.name,
        kind=FeatureKind(each.measure),
        unit=each.unit,
        unit_price_minor=each.unit_price_minor,
        currency=each.currency,
        combining=None if each.combining is None else Combining(each.combining),
        default=each.default_value,
        hard_percent=each.hard_percent,
        options=each.options,
        owner=each.owner,
    )
    for each in sorted(FEATURES, key=lambda each: each.key)
)


def inputs_of(sketch: Sketch, subscription: SubscriptionRecord, *, now: datetime) -> Inputs:
    """Return what decides a tenant's entitlements."""
    return Inputs(
        features=CATALOGUE,
        grants=tuple(_grants(sketch, subscription, now=now)),
        plan_versions=_VERSIONS[subscription.plan],
        contracts=tuple(
            Contract(
                id=each.external_id,
                label=each.label,
                plan=each.plan,
                version=each.version,
                starts_at=each.starts_at,
                until=each.until,
            )
            for each in standings.contracts(sketch, now=now)
        ),
        conditions=tuple(_conditions(sketch, now=now)),
        usage=tuple(
            Usage(feature=each.feature, used=each.used, starts_at=each.starts_at, until=each.until, as_of=each.as_of)
            for each in sorted(standings.usage(sketch, now=now), key=lambda each: each.feature)
        ),
        subscription=subscription.status,
    )


def overrides_of(sketch: Sketch, *, now: datetime) -> Iterator[Grant]:
    """Yield the overrides of a tenant, ended ones too."""
    for each in histories.overrides(sketch, now=now):
        yield Grant(
            source=GrantSource.OVERRIDE,
            id=each.external_id,
            label=each.label,
            feature=each.feature,
            value=each.value,
            starts_at=each.starts_at,
            until=each.until,
            ended_at=each.ended_at,
            reference=each.reference,
            op=Op(each.op),
            owner=each.owner,
        )


def _grants(sketch: Sketch, subscription: SubscriptionRecord, *, now: datetime) -> Iterator[Grant]:
    yield from _of_plan(subscription)
    for signed in standings.contracts(sketch, now=now):
        for feature, value in _GIVEN[signed.plan]:
            yield Grant(
                source=GrantSource.CONTRACT,
                id=signed.external_id,
                label=signed.label,
                feature=feature,
                value=value,
                starts_at=signed.starts_at,
                until=signed.until,
            )
    for tried in standings.trials(sketch, now=now):
        yield Grant(
            source=GrantSource.TRIAL,
            id=tried.external_id,
            label=tried.label,
            feature=tried.feature,
            value=tried.value,
            starts_at=tried.starts_at,
            until=tried.until,
        )
    for bought in histories.add_ons(sketch):
        add_on = _ADD_ONS[bought.add_on]
        yield Grant(
            source=GrantSource.ADD_ON,
            id=bought.external_id,
            label=add_on.name,
            feature=add_on.feature,
            value=add_on.value * bought.quantity,
            starts_at=bought.starts_at,
            until=bought.until,
        )
    yield from overrides_of(sketch, now=now)


def _of_plan(subscription: SubscriptionRecord) -> Iterator[Grant]:
    name = _NAMES[subscription.plan]
    for feature, value in _GIVEN[subscription.plan]:
        yield Grant(
            source=GrantSource.PLAN,
            id=subscription.plan,
            label=name,
            feature=feature,
            value=value,
            starts_at=subscription.started_at,
            until=None,
        )
    dated = {each.version: each for each in _VERSIONS[subscription.plan]}
    for better in VERSION_ENTITLEMENTS:
        if better.plan == subscription.plan:
            version = dated[better.version]
            yield Grant(
                source=GrantSource.PLAN,
                id=subscription.plan,
                label=f"{name}, version {better.version}",
                feature=better.feature,
                value=better.value,
                starts_at=max(subscription.started_at, version.starts_at),
                until=version.until,
                version=better.version,
            )


def _conditions(sketch: Sketch, *, now: datetime) -> Iterator[Condition]:
    if sketch.status == "suspended":
        cause = "the tenant is suspended"
        yield Condition(id="account status", kind=ConditionKind.BLOCKED, cause=cause, starts_at=_ALWAYS, until=None)
    for each in standings.conditions(sketch, now=now):
        yield Condition(
            id=each.external_id,
            kind=ConditionKind(each.condition),
            cause=each.cause,
            starts_at=each.starts_at,
            until=each.until,
        )
