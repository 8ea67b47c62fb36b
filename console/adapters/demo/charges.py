"""What demo tenants are charged: currency, interval, tax, and the lines of every invoice; all else follows from it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import product

from console.adapters.demo.companies import TRAPS
from console.adapters.demo.price_list import ADD_ONS, GIVEN, PLANS, PRICES, SEATS
from console.adapters.demo.sketches import Sketch
from console.domain.billing.objects import InvoiceLine, Price
from console.domain.billing.tie_outs import months_before, prorated, tax_on

CURRENCIES = ("EUR", "JPY", "KWD", "USD")
MONTHS = 6
METERED = "api_calls"
SEAT = "seat"
_YEAR_FOR = 10  # months
_CURRENCIES = {"us": "USD", "eu": "EUR", "ap": "JPY"}
_TAX = {
    "DE": 1_900,
    "FR": 2_000,
    "ES": 2_100,
    "GB": 2_000,
    "PL": 2_300,
    "JP": 1_000,
    "KR": 1_000,
    "IN": 1_800,
    "AE": 500,
}
_PLAN_KEYS = tuple(plan.key for plan in PLANS)
_PLAN_BEFORE = {"pro": "starter", "business": "pro"}
_PLAIN = len(TRAPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What an invoice asks for. Units: minor units."""

    lines: tuple[InvoiceLine, ...]
    discount_minor: int

    @property
    def tax_minor(self) -> int:
        """Return the tax of all lines."""
        return sum(line.tax_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        """Return what is owed."""
        return sum(line.amount_minor for line in self.lines) - self.discount_minor + self.tax_minor


def currency_of(sketch: Sketch) -> str:
    """Return the currency that a tenant pays in."""
    return "KWD" if sketch.tongue.country == "AE" else _CURRENCIES[sketch.region]


def is_yearly(sketch: Sketch) -> bool:
    """Return whether a tenant pays once a year; whom stories are about pays by the month."""
    return sketch.index >= _PLAIN and bool(PRICES[sketch.plan]) and sketch.seed % 7 == 0


def interval_of(sketch: Sketch) -> str:
    """Return how often a tenant pays."""
    return "year" if is_yearly(sketch) else "month"


def is_paused(sketch: Sketch) -> bool:
    """Return whether a tenant's subscription rests."""
    return sketch.index >= _PLAIN and sketch.status == "active" and sketch.seed % 61 == 1


def has_whole_discount(sketch: Sketch, back: int) -> bool:
    """Return whether an invoice, so many months back, was given away."""
    return sketch.index >= _PLAIN and back == 3 and sketch.seed % 11 == 4


def price_id(plan: str, currency: str, interval: str) -> str:
    """Return the provider's id of a plan's price."""
    return f"price_{plan}_{interval}_{currency.lower()}"


def unit_of(plan: str, interval: str) -> int:
    """Return what a seat of a plan costs for an interval. Units: minor units, the same number in every currency."""
    return PRICES[plan] // SEATS[plan] * (_YEAR_FOR if interval == "year" else 1)


def cost_of(plan: str, interval: str) -> int:
    """Return what all seats of a plan cost for an interval. Units: as unit_of."""
    return unit_of(plan, interval) * SEATS[plan]


def prices() -> Iterator[Price]:
    """Yield the provider's whole price list; one old price of each currency is no longer sold, one counts seats."""
    for currency in CURRENCIES:
        for plan, interval in product(_PLAN_KEYS, ("month", "year")):
            base = _price(price_id(plan, currency, interval), currency, unit_of(plan, interval))
            yield replace(base, plan=plan, interval=interval)
        yield replace(_price(price_id("pro", currency, "old"), currency, 15_000), plan="pro", is_active=False)
        yield replace(_price(price_id(METERED, currency, "month"), currency, 0), feature=METERED, is_metered=True)
        for add_on in ADD_ONS:
            yield _price(price_id(add_on.key, currency, "month"), currency, add_on.amount_minor)
        yield replace(_price(price_id(SEAT, currency, "month"), currency, 900), feature="seats")


def issued_at(sketch: Sketch, *, now: datetime) -> Iterator[tuple[int, datetime]]:
    """Yield how many months back, and when, a tenant's invoices were issued, newest first."""
    if not PRICES[sketch.plan] or sketch.status == "trial":
        return
    only = sketch.seed // 7 % MONTHS if is_yearly(sketch) else None
    for back, issued in enumerate(_dates(now)):
        if sketch.created_at <= issued <= now and only in {None, back}:
            yield back, issued


@lru_cache(maxsize=4)
def _dates(now: datetime) -> tuple[datetime, ...]:
    """Return when the invoices of the newest months are issued, newest first."""
    first = now.replace(day=1, hour=6, minute=0, second=0, microsecond=0)
    return tuple(months_before(first, back) for back in range(MONTHS))


def calls_before(sketch: Sketch, issued: datetime) -> int:
    """Return how many calls a tenant made in the month before an invoice."""
    return GIVEN[sketch.plan, METERED] * (30 + (sketch.seed // 3 + issued.month * 17) % 60) // 100


def charge(sketch: Sketch, back: int, issued: datetime) -> Charge:
    """Return what the invoice of a month asks for."""
    is_given = has_whole_discount(sketch, back)
    lines = tuple(_lines(_Payer.of(sketch, is_given=is_given), back, issued))
    return Charge(lines=lines, discount_minor=sum(line.amount_minor for line in lines) if is_given else 0)


def ident(prefix: str, sketch: Sketch, *parts: object) -> str:
    """Return an id as providers make them: the same for the same tenant and parts."""
    text = ":".join(map(str, (prefix, sketch.external_id, sketch.seed, *parts)))
    return f"{prefix}_{blake2b(text.encode(), digest_size=10).hexdigest()}"


def _price(name: str, currency: str, unit_minor: int) -> Price:
    return Price(
        id=name,
        plan=None,
        feature=None,
        currency=currency,
        unit_minor=unit_minor,
        interval="month",
        is_metered=False,
        is_active=True,
        is_live=True,
    )


@dataclass(frozen=True, slots=True)
class _Payer:
    """Who pays, how often and with which tax: Acme accounts for it itself, and nothing is due on what is given away."""

    sketch: Sketch
    interval: str
    currency: str
    rate: int
    is_given: bool

    @classmethod
    def of(cls, sketch: Sketch, *, is_given: bool) -> "_Payer":
        """Return what is the same of all lines of an invoice."""
        rate = 0 if sketch.index == 0 else _TAX.get(sketch.tongue.country, 0)
        return cls(sketch, interval_of(sketch), currency_of(sketch), rate, is_given)

    def line(
        self, parts: tuple[object, ...], text: str, amount: int, *, price: str, quantity: int, unit: int,
        start: datetime, end: datetime, feature: str | None = None, is_proration: bool = False,
    ) -> InvoiceLine:  # fmt: skip
        """Return a line with its tax; `parts` make its id."""
        return InvoiceLine(
            id=ident("il", self.sketch, *parts),
            text=text,
            amount_minor=amount,
            price=price,
            feature=feature,
            quantity=quantity,
            unit_minor=unit,
            period_from=start,
            period_until=end,
            is_proration=is_proration,
            tax_minor=0 if self.is_given else tax_on(amount, self.rate),
            tax_basis_points=self.rate,
            jurisdiction=self.sketch.tongue.country,
        )


def _lines(payer: _Payer, back: int, issued: datetime) -> Iterator[InvoiceLine]:
    """Yield lines: a change of plan in the month before, the plan ahead, the calls that were made."""
    sketch, interval = payer.sketch, payer.interval
    before, until = _neighbours(issued, is_yearly=interval == "year")
    if back == 1 and _was_upgraded(sketch) and before >= sketch.created_at:
        yield from _upgrade(payer, before + timedelta(days=9, hours=6), issued)
    yield payer.line(
        (issued.date(), "plan"),
        f"{sketch.plan.capitalize()} plan",
        cost_of(sketch.plan, interval),
        price=price_id(sketch.plan, payer.currency, interval),
        quantity=SEATS[sketch.plan],
        unit=unit_of(sketch.plan, interval),
        start=issued,
        end=until,
    )
    if back == 0 and before >= sketch.created_at:
        yield payer.line(
            (issued.date(), METERED),
            "API calls, included in the plan",
            0,
            price=price_id(METERED, payer.currency, "month"),
            feature=METERED,
            quantity=calls_before(sketch, issued),
            unit=0,
            start=before.replace(hour=0),
            end=issued.replace(hour=0),
        )


@lru_cache(maxsize=64)
def _neighbours(issued: datetime, *, is_yearly: bool) -> tuple[datetime, datetime]:
    """Return the month before an invoice, and until when it is paid."""
    return months_before(issued, 1), months_before(issued, -12 if is_yearly else -1)


def _was_upgraded(sketch: Sketch) -> bool:
    return sketch.index >= _PLAIN and sketch.plan in _PLAN_BEFORE and not is_yearly(sketch) and sketch.seed % 9 == 2


def _upgrade(payer: _Payer, start: datetime, end: datetime) -> Iterator[InvoiceLine]:
    """Yield what comes back of the smaller plan, and what the rest of the month costs on the larger one."""
    later = payer.sketch.plan
    for plan, sign, said in ((_PLAN_BEFORE[later], -1, "Unused time on"), (later, 1, "Remaining time on")):
        unit = unit_of(plan, "month")
        yield payer.line(
            (end.date(), "proration", plan),
            f"{said} {plan.capitalize()} plan",
            sign * prorated(unit, SEATS[plan], start=start, end=end, interval="month", anchored_at=end)[0],
            price=price_id(plan, payer.currency, "month"),
            quantity=SEATS[plan],
            unit=unit,
            start=start,
            end=end,
            is_proration=True,
        )
