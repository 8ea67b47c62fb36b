"""The clean books of the demo provider's account, and mutators of rows 1, 2 and 34 to 37 that belong to no tenant."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from console.adapters.demo.books import DemoBooks, PayoutLedger
from console.domain.billing.objects import BalanceTransaction, Customer, Payout
from console.domain.canonical import sha256_hex
from console.domain.ids import Digest, TenantId
from console.domain.reconciling.books import AccountBooks, ClosedExport, InboxState

AccountMutator: TypeAlias = Callable[[AccountBooks, Random], AccountBooks | None]
_DAY = timedelta(days=1)
_ONE, _TWO = TenantId("ten_one"), TenantId("ten_two")
_QUIET = InboxState(oldest_received_at=None, failed=0, bad_signatures=1, usual_bad_signatures=1, unknown_types={})


def account_books(tenants: Iterable[DemoBooks], *, now: datetime) -> AccountBooks:
    """Return the clean books of the account that these tenants pay into; keeps every movement, so not for a world."""
    ledger, inside = PayoutLedger(), defaultdict(list)
    for each in tenants:
        ledger.add(each.transactions)
        for moved in each.transactions:
            inside[moved.payout or ""].append(moved)
    sealed = Digest(sha256_hex(b"invoices"))
    return AccountBooks(
        now=now,
        payouts=tuple(ledger.payouts(now=now)),
        transactions={name: tuple(moved) for name, moved in inside.items() if name},
        inbox=_QUIET,
        exports=(
            ClosedExport(
                period="2026-09",
                file="invoices.csv",
                sealed=sealed,
                found=sealed,
                totals_sealed={"EUR": 190_00},
                totals_found={"EUR": 190_00},
            ),
        ),
    )


def _stray(books: AccountBooks) -> Customer:
    return Customer(
        id="cus_stray",
        name="Acme Robotics",
        email="billing@acme.example",
        tenant=None,
        currency="EUR",
        balance_minor=0,
        created_at=books.now - 3 * _DAY,
        is_live=True,
    )


def _unmapped(books: AccountBooks, dice: Random) -> AccountBooks:
    tenant = dice.choice((_ONE, _TWO))
    similar = {"cus_stray": ((tenant, dice.choice(("email", "name"))),)}
    return replace(books, unmapped=(_stray(books),), similar=similar, owing={"cus_stray": 250_000})


def _duplicate(books: AccountBooks, dice: Random) -> AccountBooks:
    similar = {"cus_stray": ((_ONE, "metadata"), (_TWO, "name"))}
    linked = {_ONE: ("cus_known",)}
    return replace(books, unmapped=(_stray(books),), similar=similar, linked=linked)


def _event_gap(books: AccountBooks, dice: Random) -> AccountBooks:
    return replace(books, missing_events=("evt_lost",))


def _inbox(books: AccountBooks, **changes: object) -> AccountBooks:
    return replace(books, inbox=replace(_QUIET, **changes))  # type: ignore[arg-type]


def _event_stuck(books: AccountBooks, dice: Random) -> AccountBooks:
    return _inbox(books, oldest_received_at=books.now - timedelta(seconds=3_601 + dice.randrange(9_000)))


def _event_failed(books: AccountBooks, dice: Random) -> AccountBooks:
    return _inbox(books, failed=1 + dice.randrange(9))


def _signature_failures(books: AccountBooks, dice: Random) -> AccountBooks:
    return _inbox(books, bad_signatures=11 + dice.randrange(900))


def _unknown_event_type(books: AccountBooks, dice: Random) -> AccountBooks:
    return _inbox(books, unknown_types={"invoice.teleported": 3})


def _one(books: AccountBooks, dice: Random) -> tuple[Payout, tuple[BalanceTransaction, ...]] | None:
    """Return a payout and what is in it."""
    made = [each for each in books.payouts if books.transactions.get(each.id)]
    if not made:
        return None
    mine = dice.choice(made)
    return mine, books.transactions[mine.id]


def _instead(books: AccountBooks, payout: Payout) -> AccountBooks:
    return replace(books, payouts=tuple(payout if each.id == payout.id else each for each in books.payouts))


def _payout_mismatch(books: AccountBooks, dice: Random) -> AccountBooks | None:
    found = _one(books, dice)
    if found is None:
        return None
    payout, inside = found
    if dice.random() < 0.5:
        return _instead(books, replace(payout, amount_minor=payout.amount_minor + 1))
    return replace(books, transactions={**books.transactions, payout.id: inside[:-1]})


def _payout_overdue(books: AccountBooks, dice: Random) -> AccountBooks | None:
    found = _one(books, dice)
    if found is None:
        return None
    return _instead(books, replace(found[0], status="in_transit", arrives_at=books.now - 5 * _DAY))


def _payout_unattributable(books: AccountBooks, dice: Random) -> AccountBooks:
    by_hand = Payout(
        id="po_by_hand",
        status="paid",
        currency="EUR",
        amount_minor=120_000,
        is_automatic=False,
        created_at=books.now - 9 * _DAY,
        arrives_at=books.now - 7 * _DAY,
        is_live=True,
    )
    return replace(books, payouts=(*books.payouts, by_hand))


def _export_mismatch(books: AccountBooks, dice: Random) -> AccountBooks:
    found = None if dice.random() < 0.5 else Digest(sha256_hex(b"other invoices"))
    return replace(books, exports=tuple(replace(each, found=found) for each in books.exports))


def _unknown_enum(books: AccountBooks, dice: Random) -> AccountBooks | None:
    found = _one(books, dice)
    return None if found is None else _instead(books, replace(found[0], status="floating"))


MUTATORS: dict[str, AccountMutator] = {
    "customer_unmapped": _unmapped,
    "customer_duplicate": _duplicate,
    "event_gap": _event_gap,
    "event_stuck": _event_stuck,
    "event_failed": _event_failed,
    "signature_failures": _signature_failures,
    "unknown_event_type": _unknown_event_type,
    "payout_mismatch": _payout_mismatch,
    "payout_overdue": _payout_overdue,
    "payout_unattributable": _payout_unattributable,
    "export_mismatch": _export_mismatch,
    "unknown_enum": _unknown_enum,
}
