"""What happened to demo tenants: subscriptions, invoices, overrides and notes, with the story of Acme."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from console.adapters.demo.charges import Charge, charge, cost_of, currency_of, interval_of, is_paused, issued_at
from console.adapters.demo.price_list import PRICES
from console.adapters.demo.sketches import Sketch
from console.domain.import_entitlements import OverrideRecord, SubscriptionAddOnRecord
from console.domain.imports import InvoiceRecord, NoteRecord, SubscriptionRecord

STORY_NUMBER = 17
_FIRST_NUMBER = 100
_TERM = timedelta(days=30)
# The last of them has left the company, so that the register has overrides that nobody answers for.
OVERRIDE_OWNERS = (
    "Mira Lindgren", "Jonas Weber", "Tomás Arroyo", "Ines Carvalho", "Aoife Brennan", "Henrik Dahl", "Sanna Lindqvist",
)  # fmt: skip
_NOTES = (
    "Called about the renewal; wants a quote for two years.",
    "Prefers e-mail. Their office is closed on Fridays.",
    "Migrated from the old plan in spring; do not touch the discount.",
    "Reported slow exports twice; engineering knows.",
)


def mirror_stopped_at(now: datetime) -> datetime:
    """Return the last 14:02 UTC that is over for a quarter of an hour: since then Acme's mirror is behind."""
    at = now.replace(hour=14, minute=2, second=0, microsecond=0)
    return at if now - at >= timedelta(minutes=15) else at - timedelta(days=1)


def subscription(sketch: Sketch, *, now: datetime) -> SubscriptionRecord:
    """Return what a tenant pays for, as the mirror says."""
    is_acme = sketch.index == 0
    ends = {"trial": "trialing", "closed": "canceled", "suspended": "past_due"}
    to_renewal = timedelta(days=1 + sketch.seed % 30)
    return SubscriptionRecord(
        tenant=sketch.external_id,
        plan=sketch.plan,
        status="past_due" if is_acme else "paused" if is_paused(sketch) else ends.get(sketch.status, "active"),
        provider_customer=sketch.customer,
        seats=sketch.seats,
        amount_minor=cost_of(sketch.plan, interval_of(sketch)),
        currency=currency_of(sketch),
        started_at=sketch.created_at,
        renews_at=(now + to_renewal).replace(minute=0, second=0, microsecond=0),
        mirrored_at=mirror_stopped_at(now) if is_acme else now - timedelta(seconds=sketch.seed % 900),
    )


def add_ons(sketch: Sketch) -> Iterator[SubscriptionAddOnRecord]:
    """Yield the add-ons that a tenant has bought; Acme has none, so that its seats are the plan's."""
    dice = sketch.draw("add_on")
    if sketch.index == 0 or sketch.plan in {"free", "enterprise"} or dice.random() > 0.2:
        return
    yield SubscriptionAddOnRecord(
        tenant=sketch.external_id,
        external_id=f"{sketch.external_id}-addon-1",
        add_on=dice.choice(("seats_10", "storage_100", "sso_pack")),
        quantity=1,
        starts_at=sketch.created_at + timedelta(days=2),
        until=None,
    )


def invoices(sketch: Sketch, *, now: datetime) -> Iterator[InvoiceRecord]:
    """Yield a tenant's invoices, newest first; numbers are unique in the whole world."""
    return (record for record, _asked in billed(sketch, now=now))


def billed(sketch: Sketch, *, now: datetime) -> Iterator[tuple[InvoiceRecord, Charge | None]]:
    """Yield a tenant's invoices, newest first, each with what it asks for; that of Acme's story asks for its own."""
    if sketch.index == 0:
        yield story(sketch, now=now), None
    dates = list(issued_at(sketch, now=now))
    dice = sketch.draw("invoice") if dates else None
    for back, issued in dates:
        number = _FIRST_NUMBER + sketch.index * 12 + issued.month
        asked = charge(sketch, back, issued)
        amount = asked.total_minor
        luck = 0.95 if dice is None or (sketch.status == "suspended" and back < 2) else dice.random()
        fate = _fate(amount, luck, issued, now=now)
        yield (
            InvoiceRecord(
                tenant=sketch.external_id,
                number=f"INV-{issued.year}-{number:06d}",
                status=fate.status,
                provider_status=fate.status,
                amount_minor=amount,
                currency=currency_of(sketch),
                issued_at=issued,
                due_at=issued + _TERM,
                paid_at=fate.paid_at,
                mirrored_at=fate.mirrored_at,
            ),
            asked,
        )


def paid_at_provider(invoice: InvoiceRecord) -> datetime | None:
    """Return when an invoice was paid as the invented provider knows it, which may be more than the mirror does."""
    if invoice.paid_at is None and invoice.provider_status == "paid":
        return invoice.mirrored_at + timedelta(minutes=7)
    return invoice.paid_at


def overrides(sketch: Sketch, *, now: datetime) -> Iterator[OverrideRecord]:
    """Yield overrides of some tenants, live and ended; Acme has none yet, because that is the second journey."""
    dice = sketch.draw("override")
    if sketch.index == 0 or sketch.plan == "free" or dice.random() > 0.06:
        return
    started = max(sketch.created_at, now - timedelta(days=200 * dice.random()))
    is_ended = dice.random() < 0.3
    contract = f"CTR-{now.year}-{sketch.index % 9_000 + 1_000}"
    yield OverrideRecord(
        tenant=sketch.external_id,
        external_id=f"{sketch.external_id}-ovr-1",
        feature="seats",
        value=sketch.seats * 2,
        label=f"Until {contract} is signed",
        reference=contract,
        starts_at=started,
        until=started + timedelta(days=220),
        ended_at=started + timedelta(hours=1) if is_ended else None,
        op="add" if sketch.seed % 5 == 0 else "set",
        owner=sketch.draw("owner").choice(OVERRIDE_OWNERS),
    )


def notes(sketch: Sketch, *, now: datetime) -> Iterator[NoteRecord]:
    """Yield what colleagues wrote about some tenants."""
    dice = sketch.draw("note")
    if sketch.index > 0 and dice.random() > 0.15:
        return
    yield NoteRecord(
        tenant=sketch.external_id,
        external_id=f"{sketch.external_id}-note-1",
        author="Sanna Lindqvist",
        text=_NOTES[int(dice.random() * len(_NOTES))],
        at=max(sketch.created_at, now - timedelta(days=3 + 60 * dice.random())),
    )


class _Fate(NamedTuple):
    """What became of an invoice."""

    status: str
    paid_at: datetime | None
    mirrored_at: datetime


def _fate(amount_minor: int, luck: float, issued: datetime, *, now: datetime) -> _Fate:
    """Return how time has treated an invoice: paid within days, open while young, seldom overdue or void."""
    if not amount_minor:
        return _Fate("paid", issued, issued)
    paid_at = issued + timedelta(hours=6 + int(luck * 200))
    if luck < 0.94 and paid_at < now:
        return _Fate("paid", paid_at, min(paid_at + timedelta(minutes=1), now))
    if luck > 0.99:
        return _Fate("void", None, issued)
    if issued + _TERM < now:
        return _Fate("past_due", None, issued + _TERM)
    return _Fate("open", None, issued)


def story(sketch: Sketch, *, now: datetime) -> InvoiceRecord:
    """Return the invoice of the first journey: paid at the provider, past due in our mirror since 14:02."""
    stopped = mirror_stopped_at(now)
    due = stopped.replace(minute=0)
    issued = due - timedelta(days=14)
    return InvoiceRecord(
        tenant=sketch.external_id,
        number=f"INV-{issued.year}-{STORY_NUMBER:06d}",
        status="past_due",
        provider_status="paid",
        amount_minor=PRICES[sketch.plan],
        currency=currency_of(sketch),
        issued_at=issued,
        due_at=due,
        paid_at=None,
        mirrored_at=stopped,
    )
