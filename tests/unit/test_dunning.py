"""Dunning: what an invoice of the provider says of how far collecting it has come."""

from dataclasses import replace
from typing import Any

import pytest

from console.adapters.fake_stripe import invoice_documents
from console.adapters.stripe import mapping_invoices
from console.domain.billing.canonical_form import digest, document, restored
from console.domain.billing.dunning import DunningState, dunning_of
from console.domain.billing.objects import Invoice, ObjectKind
from console.domain.billing.sealing import is_as_closed, money_digest
from tests.billing import AN_INVOICE, DAY, NOON, PAID

TRIED = replace(AN_INVOICE, attempts=2, next_attempt_at=NOON + 3 * DAY)
GIVEN_UP = replace(AN_INVOICE, id="in_9", attempts=4)


class NothingTold:
    """What the mapping asks beside the document."""

    is_live = True

    def price(self, _price: str) -> dict[str, Any] | None:
        return None

    def tax_rate(self, _rate: str) -> dict[str, Any] | None:
        return None


def mapped(thing: Invoice, **said: object) -> Invoice:
    """Return an invoice as the adapter reads it from what the provider would write."""
    (told,) = [each for each in invoice_documents.invoice(thing) if each["object"] == "invoice"]
    return mapping_invoices.invoice({**told, **said}, NothingTold())  # type: ignore[arg-type]


@pytest.mark.parametrize("thing", [TRIED, GIVEN_UP, AN_INVOICE])
def test_it_is_read_from_the_providers_own_invoice(thing: Invoice) -> None:
    read = mapped(thing)
    assert (read.attempts, read.next_attempt_at) == (thing.attempts, thing.next_attempt_at)


def test_a_settled_invoice_says_nothing_of_how_it_was_collected() -> None:
    read = mapped(PAID, attempt_count=1, next_payment_attempt=None)
    assert (read.attempts, read.next_attempt_at) == (0, None)


@pytest.mark.parametrize(
    ("invoices", "state", "sentence"),
    [
        ([], DunningState.NONE, ""),
        ([AN_INVOICE, PAID], DunningState.NONE, ""),
        ([AN_INVOICE, TRIED], DunningState.RETRYING, "tried 2 times, again on 24 Nov 2026"),
        ([GIVEN_UP], DunningState.GIVEN_UP, "tried 4 times, never again"),
        ([replace(GIVEN_UP, attempts=1)], DunningState.GIVEN_UP, "tried 1 time, never again"),
        ([GIVEN_UP, TRIED], DunningState.RETRYING, "tried 4 times, again on 24 Nov 2026"),
        ([replace(TRIED, status="void")], DunningState.NONE, ""),
    ],
)
def test_collecting_is_given_up_once_nothing_is_tried_again(
    invoices: list[Invoice], state: DunningState, sentence: str
) -> None:
    found = dunning_of(invoices)
    assert (found.state, found.sentence()) == (state, sentence)


def test_what_was_written_before_there_was_dunning_is_read_and_keeps_its_digest() -> None:
    plain = document(AN_INVOICE)
    assert "attempts" not in plain
    assert restored(ObjectKind.INVOICE, plain) == AN_INVOICE
    assert restored(ObjectKind.INVOICE, document(TRIED)) == TRIED
    assert digest(TRIED) != digest(AN_INVOICE)
    assert is_as_closed(TRIED, money_digest(AN_INVOICE)), "a try to collect changes no closed period"
