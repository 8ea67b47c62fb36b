"""How use cases put a question to policy."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from console.domain.decisions import Decision, Deny, DenyCode, Fact, NeedsStepUp, Query
from console.domain.ids import ActionKey, PersonKey, ReasonCode, RuleId, TenantId
from console.domain.staff import Actor
from console.policy.decide import decide, decide_many
from console.ports.store import ControlUnit
from console.usecases.freezing import in_view_of_freezes
from console.usecases.house import House

T = TypeVar("T")
_MOST_SHOWN = 5_000


def step_up_age(actor: Actor, now: datetime) -> int:
    """Return seconds since the second factor, -1 without one or when the clock went back."""
    if actor.stepped_up_at is None:
        return -1
    age = (now - actor.stepped_up_at).total_seconds()
    return int(age) if age >= 0 else -1


def query(
    actor: Actor,
    action: str,
    *,
    now: datetime,
    tenant: TenantId | None = None,
    leased: TenantId | None = None,
    reason: ReasonCode | None = None,
    requesters: frozenset[PersonKey] = frozenset(),
    facts: dict[str, Fact] | None = None,
) -> Query:
    """Return the question whether an actor may do something."""
    return Query(
        actor=actor.staff,
        person=actor.person,
        roles=actor.roles,
        kind=actor.kind,
        action=ActionKey(action),
        tenant=tenant,
        leased_tenant=leased,
        reason=reason,
        step_up_age_s=step_up_age(actor, now),
        must_confirm=actor.must_confirm,
        requesters=requesters,
        facts=facts or {},
    )


def ask(house: House, question: Query, unit: ControlUnit | None = None) -> Decision:
    """Return policy's answer, in view of what is frozen.

    Shape: `unit` is the one in which it would be done; only what a freeze never pauses can be asked without.
    """
    return decide(house.book, in_view_of_freezes(house, question, unit))


def ask_many(house: House, questions: list[Query]) -> tuple[Decision, ...]:
    """Return policy's answers to all questions of a page, for what is only offered: doing it asks again."""
    return decide_many(house.book, questions)


def shown_to(house: House, actor: Actor, mark: tuple[object, ...], find: Callable[[], T]) -> T:
    """Return what `find` makes of policy's refusals, found once for all of a question that `mark` does not name.

    A refusal is a pure function of who asks, with which roles, for what; a second factor that is missing or stale is
    none. Roles are part of the key, and come from the store with every request. `find` must ask nothing else.
    """
    known = house.book.shown
    key = (*mark, actor.person, actor.kind, actor.roles)
    if key not in known:
        if len(known) >= _MOST_SHOWN:
            known.clear()
        known[key] = find()
    found: T = known[key]
    return found


def refusal_of(decision: Decision) -> Deny | NeedsStepUp | None:
    """Return the refusal in an answer, or None when it permits (now or after approval)."""
    return decision if isinstance(decision, Deny | NeedsStepUp) else None


def denied(code: DenyCode, sentence: str, remedy: str = "", field: str = "", rules: tuple[RuleId, ...] = ()) -> Deny:
    """Return a refusal that rests on the state of things; `rules` names the rule that would say the same."""
    return Deny(code=code, sentence=sentence, remedy=remedy, field=field, rules=rules)
