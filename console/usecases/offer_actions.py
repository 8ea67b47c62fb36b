"""Which governed actions a person may ask for on an opened tenant, as a ready list for pages and palette."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.domain.decisions import Decision, Deny, DenyCode
from console.domain.ids import ReasonCode, TenantId
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.policy.decide import neutral_facts
from console.ports.actions import Action, Reach
from console.usecases.asking import ask_many, denied, query, shown_to
from console.usecases.house import House

_HARMLESS = frozenset({DenyCode.CEILING_EXCEEDED, DenyCode.EXPIRY_TOO_FAR, DenyCode.SELF_TARGET, DenyCode.BUDGET_SPENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One action with the reason codes that policy would accept from this person."""

    action: Action[Any]
    reasons: tuple[ReasonCode, ...]


def offer_actions(house: House, actor: Actor, *, tenant: DirectoryRow | None) -> Sequence[Offer]:
    """Return the actions that this person could ask for, on a tenant or (None) on the control store."""
    reach = Reach.CONTROL if tenant is None else Reach.TENANT
    actions = [each for each in house.registry.values() if each.reach is reach and (not tenant or each.fits(tenant))]
    where = None if tenant is None else tenant.id

    def found() -> list[tuple[ReasonCode, ...]]:
        return [codes for _action, codes in _accepted(house, actor, actions, tenant=where)]

    accepted = shown_to(house, actor, ("offers", where, *(action.key for action in actions)), found)
    return [Offer(action=action, reasons=codes) for action, codes in zip(actions, accepted, strict=True) if codes]


def reasons_offered(
    house: House, actor: Actor, action: Action[Any], *, tenant: TenantId | None
) -> tuple[ReasonCode, ...] | Deny:
    """Return the reason codes with which this person may ask for one action, or why there is none."""
    ((_action, codes),) = _accepted(house, actor, [action], tenant=tenant)
    return codes or _first_refusal(house, actor, action, tenant=tenant)


def action_titles(house: House) -> Mapping[str, str]:
    """Return the title of every governed action, to tell entries in words."""
    return {action.key: action.title for action in house.registry.values()}


def _accepted(
    house: House, actor: Actor, actions: Sequence[Action[Any]], *, tenant: TenantId | None
) -> list[tuple[Action[Any], tuple[ReasonCode, ...]]]:
    pairs = [(action, code) for action in actions for code in sorted(house.book.actions[action.key].reasons)]
    answers = _answers(house, actor, pairs, tenant=tenant)
    fine: dict[str, list[ReasonCode]] = {action.key: [] for action in actions}
    for (action, code), answer in zip(pairs, answers, strict=True):
        if not (isinstance(answer, Deny) and answer.code not in _HARMLESS):
            fine[action.key].append(code)
    return [(action, tuple(fine[action.key])) for action in actions]


def _first_refusal(house: House, actor: Actor, action: Action[Any], *, tenant: TenantId | None) -> Deny:
    pairs = [(action, code) for code in sorted(house.book.actions[action.key].reasons)]
    refusals = [answer for answer in _answers(house, actor, pairs, tenant=tenant) if isinstance(answer, Deny)]
    nobody = denied(DenyCode.REASON_NOT_ACCEPTED, "No reason code permits this action.", "Ask an administrator.")
    return next(iter(refusals), nobody)


def _answers(
    house: House, actor: Actor, pairs: Sequence[tuple[Action[Any], ReasonCode]], *, tenant: TenantId | None
) -> Sequence[Decision]:
    now = house.clock.now()
    asked = [
        query(
            actor,
            action.key,
            now=now,
            tenant=tenant,
            leased=tenant,
            reason=code,
            facts=dict(neutral_facts(house.book, action.key)),
        )
        for action, code in pairs
    ]
    return ask_many(house, asked)
