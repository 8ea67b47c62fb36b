"""One digest for all that decides what a tenant may use: a stored set that bears another is out of date."""

from functools import lru_cache

from console.domain.canonical import digest_hex
from console.domain.entitlements import (
    Condition,
    Contract,
    Feature,
    Grant,
    Inputs,
    PlanVersion,
)
from console.domain.ids import Digest


def inputs_digest(inputs: Inputs) -> Digest:
    """Return one digest for all that decides what may be used: no names, no prices, no counts, in any order."""
    decisive = {
        "features": _features(inputs.features),
        "grants": sorted((_grant(each) for each in inputs.grants), key=repr),
        "plan_versions": sorted(([*_span(each), each.plan, each.version] for each in inputs.plan_versions), key=repr),
        "contracts": sorted(([*_span(each), each.id, each.plan, each.version] for each in inputs.contracts), key=repr),
        "conditions": sorted(([*_span(each), each.id, each.kind.value] for each in inputs.conditions), key=repr),
        "subscription": inputs.subscription,
    }
    return Digest(digest_hex(decisive))


def _span(each: Condition | Contract | Grant | PlanVersion) -> list[str | None]:
    return [each.starts_at.isoformat(), None if each.until is None else each.until.isoformat()]


@lru_cache(maxsize=64)  # one catalogue for all tenants of a plane
def _features(features: tuple[Feature, ...]) -> list[list[object]]:
    """Return the catalogue as it is digested; nobody changes it."""
    return sorted((_feature(each) for each in features), key=repr)


def _feature(each: Feature) -> list[object]:
    return [each.key, each.kind.value, each.policy.value, str(each.default), each.hard_percent, list(each.options)]


def _grant(each: Grant) -> list[object]:
    ended = None if each.ended_at is None else each.ended_at.isoformat()
    return [*_span(each), ended, each.source.value, each.id, each.feature, str(each.value), each.version, each.op.value]
