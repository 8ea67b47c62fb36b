"""Reference patterns take what people write, refuse the rest, and never run away."""

import re
import time

import pytest

from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from console.policy.book import PolicyBook

GOOD = {
    "CUSTOMER_SUPPORT": ["SUP-48213", "ZD-1", "HELP2-999999999"],
    "BILLING_RECONCILIATION": ["INV-2026-004711", "INV-A12B", "po_1NcX9a", "in_1MtHbELkdIwHu7ixl4OzzPMv"],
    "INCIDENT_RESPONSE": ["INC-2301", "INCIDENT-2026-12"],
    "DATA_REPAIR": ["CHG-1180", "CHG-2026-7"],
    "CONTRACT_CHANGE": ["CTR-2026-0117", "QUO-12", "MSA2-2026-01-02"],
    "FRAUD_ABUSE_REVIEW": ["CASE-77"],
    "LEGAL_PROCESS": ["MAT-12"],
    "BREAK_GLASS": ["INC-2301"],
    "STAFF_CHANGE": ["HR-123", "CHG-123"],
    "PERIOD_CLOSE": ["CLOSE-2026-10"],
    "CONTAINMENT": ["INC-2301"],
    "REVIEW": ["REV-2026-11", "REV-2026-11-29"],
}
BAD = [
    "",
    "-",
    "sup-1",
    "SUP 48213",
    "SUP-",
    "SUP-1; DROP TABLE",
    "SUP-1\n",
    "https://tickets/1",
    "SUP-" + "1" * 40,
    "=cmd",
]


@pytest.mark.parametrize("code", sorted(GOOD))
def test_it_takes_usual_references(book: PolicyBook, code: str) -> None:
    pattern = book.reasons[ReasonCode(code)].reference_pattern
    assert [text for text in GOOD[code] if not re.fullmatch(pattern, text)] == []


@pytest.mark.parametrize("code", sorted(GOOD))
def test_it_refuses_what_is_no_reference(book: PolicyBook, code: str) -> None:
    pattern = book.reasons[ReasonCode(code)].reference_pattern
    assert [text for text in BAD if re.fullmatch(pattern, text)] == []


@pytest.mark.parametrize("letter", ["A", "1", "-", "A1", "-1", "INV-", "a_"])
def test_it_never_runs_away(book: PolicyBook, letter: str) -> None:
    text = (letter * 9_000)[:9_000]
    started = time.perf_counter()
    for rule in book.reasons.values():
        assert re.fullmatch(rule.reference_pattern, text) is None
        assert rule.faults(Reason(code=rule.code, reference=text))
    assert time.perf_counter() - started < 30  # what runs away does so for hours


def test_it_covers_every_reason_code(book: PolicyBook) -> None:
    assert sorted(book.reasons) == sorted(GOOD)
