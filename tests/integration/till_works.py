"""What the tests of money actions ask for, and how they read what a request shows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.billing.objects import Price
from console.domain.ids import ActionKey
from console.domain.reasons import Reason
from console.domain.requests import Request
from console.usecases.outcomes import BadFields
from tests.billing import A_CUSTOMER
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.money_stage import (
    RECONCILE,
    Till,
    opened_till,
)

NEW = replace(A_CUSTOMER, id="cus_new1", name="Acme Two", email="billing@acme.example")


PRO = Price(
    id="price_pro", plan="pro", feature=None, currency="EUR", unit_minor=9_900, interval="month", is_metered=False,
    is_active=True, is_live=True,
)  # fmt: skip


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with opened_till("sqlite", tmp_path, str) as opened:
        yield opened


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Till]:
    with opened_till(request.param, tmp_path, pg_database) as opened:
        yield opened


def credit(
    amount: str = "10.00",
    to: str = "refund",
    invoice: str = "in_1",
    currency: str = "EUR",
    *,
    back: str | None = None,
) -> dict[str, str]:
    """Return what somebody types to credit an invoice, of which everything was paid unless `back` says otherwise."""
    back = amount if back is None else back
    return {
        "invoice": invoice, "amount": amount, "back": back, "currency": currency, "to": to, "why": "order_change"
    }  # fmt: skip


def application(
    amount: str = "50.00", payment: str = "pi_2", invoice: str = "in_2", currency: str = "EUR"
) -> dict[str, str]:
    return {"payment": payment, "invoice": invoice, "amount": amount, "currency": currency}


def duplicate(keep: str = "sub_1", cancel: str = "sub_2", both_paid: str = "no") -> dict[str, str]:
    return {"keep": keep, "cancel": cancel, "both_paid": both_paid}


def refused(till: Till, key: ActionKey, raw: dict[str, str], *, reason: Reason = RECONCILE) -> tuple[str, str]:
    """Return field and remedy of what is wrong."""
    answer = till.stage.ask("finance", "acme", key, raw, reason=reason)
    assert isinstance(answer, BadFields), answer
    return answer.faults[0].field, answer.faults[0].remedy


def shown(request: Request) -> dict[str, tuple[str | None, str | None]]:
    return {each.field: (each.before, each.after) for each in request.preview.every_change}


def warned(request: Request) -> str:
    """Return what is said beside the changes."""
    access = request.preview.access
    assert access is not None
    return " ".join([access.sentence, *request.preview.warnings])
