"""Says in words why policy answers as it does, and what would make it possible."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from console.domain.decisions import Allow, Decision, Deny, DenyCode, GroupNeed, NeedsApproval, NeedsStepUp, Query
from console.domain.ids import ReasonCode
from console.domain.staff import Role
from console.policy.book import PolicyBook, RuleText
from console.policy.decide import answer_of, decide_many, filled, verdicts

_ABOUT_REASON = frozenset({DenyCode.REASON_NOT_ACCEPTED, DenyCode.REASON_UNKNOWN, DenyCode.MINUTES_ABOVE_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An answer, the rules that determined it, and what would make it possible.

    Shape: `possible` and `errors` are sentences; `errors` come from Cedar and are for the operator.
    """

    query: Query
    decision: Decision
    rules: tuple[RuleText, ...]
    possible: tuple[str, ...]
    errors: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return the explanation as lines of text, the answer first."""
        rules = tuple(f"  {rule.id} ({rule.file}): {rule.sentence}" for rule in self.rules)
        possible = tuple(f"  - {sentence}" for sentence in self.possible)
        errors = tuple(f"  ! {error}" for error in self.errors)
        return (
            f"{self.query.action}: {said(self.decision)}",
            *(("by these rules:", *rules) if rules else ()),
            *(("what would make it possible:", *possible) if possible else ()),
            *(("what went wrong:", *errors) if errors else ()),
        )


def said(decision: Decision) -> str:
    """Return an answer in the short form of the worked cases: allow, deny:<code>, needs_approval:<n>, needs_step_up."""
    if isinstance(decision, Deny):
        return f"deny:{decision.code}"
    if isinstance(decision, NeedsApproval):
        return f"needs_approval:{sum(need.count for need in decision.needs)}"
    return "allow" if isinstance(decision, Allow) else "needs_step_up"


def explain(book: PolicyBook, query: Query) -> Explanation:
    """Return the answer to a question with its rules and the ways out."""
    verdict = verdicts(book, (query,))[0]
    decision = answer_of(book, query, verdict)
    return Explanation(
        query=query,
        decision=decision,
        rules=tuple(book.rules[rule] for rule in decision.rules),
        possible=tuple(dict.fromkeys(_possible(book, query, decision))),
        errors=verdict.errors if verdict is not None else (),
    )


def roles_that_could(book: PolicyBook, query: Query) -> tuple[Role, ...]:
    """Return each role with which alone this very question would not be denied."""
    answers = decide_many(book, [replace(query, roles=frozenset({role})) for role in Role])
    return tuple(role for role, answer in zip(Role, answers, strict=True) if not isinstance(answer, Deny))


def reasons_that_could(book: PolicyBook, query: Query) -> tuple[ReasonCode, ...]:
    """Return each reason code with which this very question would not be denied."""
    codes = sorted(book.accepted(query.action))
    answers = decide_many(book, [replace(query, reason=code) for code in codes])
    return tuple(code for code, answer in zip(codes, answers, strict=True) if not isinstance(answer, Deny))


def group_in_words(need: GroupNeed) -> str:
    """Return who fills a group, for example `1 Finance lead`."""
    return f"{need.count} {' or '.join(role.label for role in sorted(need.roles))}"


def _possible(book: PolicyBook, query: Query, decision: Decision) -> Iterator[str]:
    if isinstance(decision, Deny):
        yield from _ways_out(book, query, decision)
    if isinstance(decision, NeedsApproval):
        groups = ", ".join(map(group_in_words, decision.needs))
        yield f"Approval by different people, none of them the requester: {groups}."
    if isinstance(decision, NeedsStepUp):
        yield f"Show a second factor; it counts for {decision.max_age_s // 60} minutes."


def _ways_out(book: PolicyBook, query: Query, deny: Deny) -> Iterator[str]:
    yield deny.remedy
    codes = set()
    for rule in (book.rules[rule] for rule in deny.rules):
        codes.add(rule.deny_code)
        yield filled(book, query, rule.remedy)
    if query.action not in book.handles.forms:
        return
    if codes & _ABOUT_REASON:
        reasons = reasons_that_could(book, query)
        if reasons:
            yield f"With the same roles these reasons would do: {', '.join(reasons)}."
    roles = roles_that_could(book, query)
    if roles and deny.code is not DenyCode.POLICY_ERROR:
        yield f"Under the same circumstances these roles could: {', '.join(role.label for role in roles)}."
