"""Which rules the worked cases exercise: a rule that decides no case is a rule that nobody has tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.domain.ids import RuleId
from console.policy.book import PolicyBook, RuleText
from console.policy.cases import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Shape: `cases` maps each rule to the names of the cases that it decided."""

    cases: Mapping[RuleId, tuple[str, ...]]
    uncovered: tuple[RuleText, ...]

    def lines(self) -> tuple[str, ...]:
        """Return one line per uncovered rule, then the count."""
        total = len(self.cases)
        missing = tuple(
            f"{rule.file}: {rule.id} decides no case: write one in policies/cases." for rule in self.uncovered
        )
        return (*missing, f"{total - len(self.uncovered)} of {total} rules decide at least one case.")


def coverage(book: PolicyBook, outcomes: Sequence[Outcome]) -> Coverage:
    """Return which rules decided which cases."""
    found: dict[RuleId, list[str]] = {rule: [] for rule in book.rules}
    for outcome in outcomes:
        for rule in outcome.rules:
            found[rule].append(f"{outcome.case.query.action}: {outcome.case.name}")
    return Coverage(
        cases={rule: tuple(names) for rule, names in found.items()},
        uncovered=tuple(book.rules[rule] for rule, names in found.items() if not names),
    )
