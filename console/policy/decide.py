"""The answer to a question: Cedar says who and whether, the TOML files say how many and how fresh."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from console.domain.decisions import Allow, Decision, Deny, DenyCode, Fact, GroupNeed, NeedsApproval, NeedsStepUp, Query
from console.domain.ids import ActionKey, RuleId
from console.policy.book import IMPORTANCE, PolicyBook, RuleText
from console.policy.cedar import Verdict, ask
from console.policy.schema import neutral

_RANK = {code: rank for rank, code in enumerate((*IMPORTANCE, *(code for code in DenyCode if code not in IMPORTANCE)))}

_MOST_TOLD = 5_000


def decide(book: PolicyBook, query: Query) -> Decision:
    """Return the answer to one question; silence denies, and any denial is final."""
    return decide_many(book, (query,))[0]


def decide_many(book: PolicyBook, queries: Sequence[Query]) -> tuple[Decision, ...]:
    """Return the answers to all questions of a page, asked in one go."""
    return tuple(
        answer_of(book, query, verdict) for query, verdict in zip(queries, verdicts(book, queries), strict=True)
    )


def neutral_facts(book: PolicyBook, action: ActionKey) -> Mapping[str, Fact]:
    """Return facts that trip no limit, to ask whether somebody could do an action in some form at all."""
    question = book.handles.questions.get(action)
    return {} if question is None else neutral(question)


def verdicts(book: PolicyBook, queries: Sequence[Query]) -> tuple[Verdict | None, ...]:
    """Return Cedar's raw verdicts, None where the question cannot even be put."""
    askable = [query for query in queries if _unaskable(book, query) is None]
    answers = iter(ask(book.handles, askable) if askable else ())
    return tuple(next(answers) if _unaskable(book, query) is None else None for query in queries)


def answer_of(book: PolicyBook, query: Query, verdict: Verdict | None) -> Decision:
    """Return the decision that a verdict means.

    1. what cannot be asked is denied. 2. an error denies, whatever else was said. 3. refusals, the most important
    first. 4. the second factor. 5. approvals.
    """
    # 1
    if verdict is None:
        return _unaskable(book, query) or _error()
    # 2
    if verdict.errors:
        return _error()
    # 3
    if not verdict.is_allowed:
        return _told_refusal(book, query, verdict)
    # 4
    if query.kind not in book.step_up_exempt and (missing := _missing_factor(book, query)) is not None:
        return NeedsStepUp(rules=verdict.rules, max_age_s=missing * 60)
    # 5
    needs = strictest(book.tiers[tier] for rule in verdict.rules if (tier := book.rules[rule].tier) is not None)
    return NeedsApproval(rules=verdict.rules, needs=needs) if needs else Allow(rules=verdict.rules)


def _missing_factor(book: PolicyBook, query: Query) -> int | None:
    """Return how fresh a second factor has to be that was not shown, or None. Units: minutes."""
    minutes = book.step_up_minutes(query.action)
    if query.must_confirm and (minutes is not None or book.accepted(query.action)):
        return minutes or book.limits.step_up_fresh_minutes
    return None if minutes is None or 0 <= query.step_up_age_s <= minutes * 60 else minutes


def strictest(tiers: Iterable[Sequence[GroupNeed]]) -> tuple[GroupNeed, ...]:
    """Return the needs of all tiers together; of one group the largest count."""
    found: dict[str, GroupNeed] = {}
    for need in (need for tier in tiers for need in tier):
        if need.name not in found or need.count > found[need.name].count:
            found[need.name] = need
    return tuple(found[name] for name in sorted(found))


def filled(book: PolicyBook, query: Query, remedy: str) -> str:
    """Return a remedy with the numbers and names of this question in its placeholders."""
    rule = book.actions.get(query.action)
    limits = {each.name: getattr(book.limits, each.name) for each in fields(book.limits)}
    values: dict[str, object] = {**limits, **(rule.ceilings if rule is not None else {})}
    reason = book.reasons.get(query.reason) if query.reason else None
    values["lease_minutes"] = reason.lease_minutes if reason is not None else 0
    values = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    values["reasons"] = ", ".join(sorted(book.accepted(query.action))) or "none"
    return remedy.format_map(values)


def _unaskable(book: PolicyBook, query: Query) -> Deny | None:
    if query.action not in book.handles.forms:
        sentence = "There is no such action."
        return Deny(code=DenyCode.UNKNOWN_ACTION, sentence=sentence, remedy="Choose an action that the page offers.")
    if query.reason and query.reason not in book.reasons:
        remedy = f"Give one of {', '.join(sorted(book.reasons))}."
        return Deny(code=DenyCode.REASON_UNKNOWN, sentence="There is no such reason code.", remedy=remedy, field="code")
    return None


def _error() -> Deny:
    return Deny(
        code=DenyCode.POLICY_ERROR,
        sentence="A rule could not be evaluated, and then nothing is allowed.",
        remedy="Tell the operator: `sallyport policy explain` shows what went wrong.",
    )


def _told_refusal(book: PolicyBook, query: Query, verdict: Verdict) -> Deny:
    """Return the refusal in words: a page asks what is not allowed by the dozen, and the words are always the same."""
    mark = (query.action, query.roles, query.kind, query.reason, verdict.rules)
    known = book.told.get(mark)
    if known is None:
        if len(book.told) >= _MOST_TOLD:
            book.told.clear()
        known = book.told[mark] = _refusal(book, query, verdict)
    return known


def _refusal(book: PolicyBook, query: Query, verdict: Verdict) -> Deny:
    rules = sorted((book.rules[rule] for rule in verdict.rules), key=_importance)
    top = rules[0] if rules else None
    if _has_no_seat(book, query) and (top is None or _importance(top) > (_RANK[DenyCode.ROLE_MISSING], RuleId(""))):
        top = None
    if top is None or top.deny_code is None:
        return Deny(
            code=DenyCode.ROLE_MISSING,
            rules=tuple(rule.id for rule in rules),
            sentence=f"None of your roles permits {query.action} under these circumstances.",
            remedy=_who_could(book, query.action),
        )
    remedy = filled(book, query, top.remedy)
    return Deny(code=top.deny_code, rules=tuple(rule.id for rule in rules), sentence=top.sentence, remedy=remedy)


def _importance(rule: RuleText) -> tuple[int, RuleId]:
    return (_RANK[rule.deny_code] if rule.deny_code is not None else len(_RANK), rule.id)


def _has_no_seat(book: PolicyBook, query: Query) -> bool:
    """Return whether no permit of the action names any role or kind of this actor."""
    could = book.could[query.action]
    return not (query.roles & could.roles) and query.kind not in could.kinds


def _who_could(book: PolicyBook, action: ActionKey) -> str:
    could = book.could[action]
    names = [role.label for role in sorted(could.roles)] + [f"the {kind}" for kind in sorted(could.kinds)]
    return f"These could: {', '.join(names)}."
