"""What demo tenants signed, try, owe and use, so that every state of an entitlement can be seen somewhere."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.adapters.demo.price_list import GIVEN
from console.adapters.demo.sketches import Sketch
from console.domain.import_entitlements import ConditionRecord, ContractRecord, TrialRecord, UsageRecord
from console.domain.imports import Record

_DAY = timedelta(days=1)
_COUNTED = ("seats", "api_calls")
_ACME_USE = {"seats": 17, "api_calls": 262_000, "storage_gb": 83, "projects": 21}


def standings(sketch: Sketch, *, now: datetime) -> Iterator[Record]:
    """Yield contract, trial, grace or suspension, and use of one tenant; Acme has some of each but a suspension."""
    yield from contracts(sketch, now=now)
    yield from trials(sketch, now=now)
    yield from conditions(sketch, now=now)
    yield from usage(sketch, now=now)


def contracts(sketch: Sketch, *, now: datetime) -> Iterator[ContractRecord]:
    """Yield the contracts of some large tenants: they keep the plan as it was when they signed."""
    if sketch.plan not in {"business", "enterprise"} or sketch.draw("contract").random() > 0.3:
        return
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    number = f"CTR-{now.year}-{sketch.index % 9_000 + 1_000}"
    yield ContractRecord(
        tenant=sketch.external_id,
        external_id=f"{sketch.external_id}-contract-1",
        label=f"Contract {number}",
        plan=sketch.plan,
        version=0,
        starts_at=max(sketch.created_at, day - 300 * _DAY),
        until=day + (20 + sketch.seed % 300) * _DAY,
    )


def trials(sketch: Sketch, *, now: datetime) -> Iterator[TrialRecord]:
    """Yield what a tenant tries: Acme single sign-on, whoever is on trial more of everything that is sold."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tried = {"sso": 1} if sketch.index == 0 else {"sso": 1, "seats": 10} if sketch.status == "trial" else {}
    for feature, value in tried.items():
        yield TrialRecord(
            tenant=sketch.external_id,
            external_id=f"{sketch.external_id}-trial-{feature}",
            feature=feature,
            value=value,
            label="Trial of Business",
            starts_at=max(sketch.created_at, day - 21 * _DAY),
            until=day + (9 if sketch.index == 0 else 1 + sketch.seed % 14) * _DAY,
        )


def conditions(sketch: Sketch, *, now: datetime) -> Iterator[ConditionRecord]:
    """Yield grace for Acme, whose payment the mirror has not seen, and read-only for some suspended tenants."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if sketch.index == 0:
        yield ConditionRecord(
            tenant=sketch.external_id,
            external_id=f"{sketch.external_id}-grace-1",
            condition="grace",
            cause="The mirror says that an invoice is past due",
            starts_at=day - _DAY,
            until=day + 6 * _DAY,
        )
    elif sketch.status == "active" and sketch.draw("condition").random() < 0.02:
        yield ConditionRecord(
            tenant=sketch.external_id,
            external_id=f"{sketch.external_id}-read-only-1",
            condition="read_only",
            cause="Export before a move to another region",
            starts_at=max(sketch.created_at, day - 2 * _DAY),
            until=day + 3 * _DAY,
        )


def usage(sketch: Sketch, *, now: datetime) -> Iterator[UsageRecord]:
    """Yield how much is used: what exists since ever, calls since the first of the month."""
    dice = sketch.draw("usage")
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (month + 32 * _DAY).replace(day=1)
    for feature in _ACME_USE if sketch.index == 0 else _COUNTED:
        given = GIVEN[sketch.plan, feature]
        share = dice.choice((20, 35, 50, 60, 70, 85, 95, 104))
        is_monthly = feature == "api_calls"
        yield UsageRecord(
            tenant=sketch.external_id,
            feature=feature,
            used=_ACME_USE[feature] if sketch.index == 0 else given * share // 100,
            starts_at=max(sketch.created_at, month) if is_monthly else sketch.created_at,
            until=after if is_monthly else None,
            as_of=max(sketch.created_at, now - timedelta(minutes=5 + sketch.seed % 50)),
        )
