"""Which governed actions a person may ask for on an opened tenant, as a ready list for pages and palette."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.domain.decisions import Deny, DenyCode, Fact
from console.domain.ids import ReasonCode, TenantId
from console.domain.staff import Actor
from console.policy.explain import sample_facts
from console.ports.actions import Action, Reach
from console.usecases.asking import ask_many, query
from console.usecases.house import House

_HARMLESS = frozenset({DenyCode.CEILING_EXCEEDED, DenyCode.EXPIRY_TOO_FAR, DenyCode.SELF_TARGET, DenyCode.BUDGET_SPENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One action with the reason codes that policy would accept from this person."""

    action: Action[Any]
    reasons: tuple[ReasonCode, ...]


def offer_actions(house: House, actor: Actor, *, tenant: TenantId | None) -> Sequence[Offer]:
    """Return the actions that this person could ask for, on a tenant or (None) on the control store."""
    now = house.clock.now()
    reach = Reach.CONTROL if tenant is None else Reach.TENANT
    pairs = [
        (action, code)
        for action in house.registry.values()
        if action.reach is reach
        for code in sorted(house.book.actions[action.key].reasons)
    ]
    asked = [
        query(actor, action.key, now=now, tenant=tenant, leased=tenant, reason=code, facts=_sample(house, action))
        for action, code in pairs
    ]
    reasons: dict[str, list[ReasonCode]] = {}
    for (action, code), answer in zip(pairs, ask_many(house, asked), strict=True):
        if not isinstance(answer, Deny) or answer.code in _HARMLESS:
            reasons.setdefault(action.key, []).append(code)
    return [Offer(action=house.registry[key], reasons=tuple(codes)) for key, codes in _keyed(house, reasons)]


def _keyed(house: House, reasons: dict[str, list[ReasonCode]]) -> list[tuple[Any, list[ReasonCode]]]:
    return [(key, reasons[key]) for key in house.registry if key in reasons]


def _sample(house: House, action: Action[Any]) -> dict[str, Fact]:
    return sample_facts(house.book, action.key)
