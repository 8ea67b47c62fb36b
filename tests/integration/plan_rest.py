"""What the walk does not come to: turns of a race, an outage or an abundance, called by name on the books."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import product

import pytest

from console.domain.freezes import FreezeScope
from console.domain.ids import DeliveryId, ExecutionId, ImpersonationId, PersonKey, ReviewId
from console.domain.override_register import Registered
from console.domain.periods import PeriodId
from console.domain.replays import Wanted
from console.domain.reviews import ReviewKind
from console.domain.trust.letters import Letter, LetterKind, Way
from console.ports.override_register import Which
from console.ports.planes import TenantPlane
from console.ports.staff import Credentials
from console.ports.store import ControlUnit
from console.ports.webhooks import DeliveryFilter, WebhookBook
from tests.databases import NOON
from tests.integration import plan_reads, test_reconciliation_plans, test_webhook_plans
from tests.integration.cast import ACME, ANNA, hire, move_in, request, scope
from tests.integration.webhook_cast import SENDER, delivery, everything, fill, now_of, planned
from tests.web.cast import Cast
from tests.web.customer_stage import trust
from tests.web.world import TENANTS

_DATED, _ENDLESS = ("ovr_dated", "ovr_endless")


def walk_rest(cast: Cast) -> None:
    """Call everything once, in units that are rolled back."""
    hire(cast.storage)
    move_in(cast.storage)
    trust(cast, TENANTS["nordwind"])
    for ask in _questions():
        with cast.storage.store.read() as unit:
            ask(unit)
    with cast.storage.bulk.write() as bulk:
        bulk.catalogue()
        bulk.slugs(["acme"])
        bulk.endpoints([("acme", "main")])
    with pytest.MonkeyPatch.context() as patch:  # as when one queue is endless
        patch.setattr("console.storage.fleet.due._LOOKED_AT", 0)
        cast.storage.webhook_fleet.due(NOON, limit=50)


def _questions() -> Iterator[Callable[[ControlUnit], object]]:
    yield from plan_reads.READS.values()
    yield from test_reconciliation_plans.READS.values()
    yield from test_webhook_plans.CONTROL.values()
    yield from REST
    for ask in (*plan_reads.PLANE_READS.values(), *PLANE_REST):
        yield partial(_of_tenant, ask)
    for read in test_webhook_plans.BOOK.values():
        yield partial(_of_webhooks, read)
    for which, before in test_webhook_plans.LISTS.values():
        yield partial(_of_webhooks, partial(_listed, which, before))


def _of_tenant(ask: Callable[[TenantPlane], object], unit: ControlUnit) -> object:
    return ask(unit.tenant(scope(ACME, hours=10_000)))


def _of_webhooks(ask: Callable[[WebhookBook], object], unit: ControlUnit) -> object:
    return ask(unit.tenant(scope(ACME, hours=10_000)).webhooks)


def _listed(which: DeliveryFilter, before: DeliveryId | None, book: WebhookBook) -> object:
    return book.deliveries(which, before=before, limit=50)


def _registered(override: str, *, until: datetime | None) -> Registered:
    return Registered(
        tenant=ACME, override=override, starts_at=NOON, until=until, owner=ANNA, monthly_minor=900, currency="EUR",
        is_redundant=True, is_orphaned=True, checked_at=NOON,
    )  # fmt: skip


def _every_page_of_the_register(unit: ControlUnit) -> None:
    unit.register.replace(ACME, [_registered(_DATED, until=NOON), _registered(_ENDLESS, until=None)])
    for which, after in product(Which, (None, (ACME, _DATED), (ACME, _ENDLESS))):
        unit.register.page(which, ends_before=NOON, after=after, limit=50)


def _freezes_of_every_scope(unit: ControlUnit) -> None:
    for what in FreezeScope:
        unit.leases.open_under(what, "x", limit=50)
        unit.impersonations.open_under(what, "x", limit=50)
    unit.freezes.because_of("INC-1")


def _consents(unit: ControlUnit) -> None:
    consent = unit.consents.get("cns_1")
    assert consent is not None
    unit.consents.use(consent, by=ImpersonationId("imp_1"), at=NOON)
    unit.consents.reminded(consent, at=NOON)


def _letters(unit: ControlUnit) -> None:
    letter = Letter(
        id="ltr_1", tenant=ACME, kind=LetterKind.ACCESS, way=Way.MAIL, about="1", at=NOON, due_at=NOON
    )  # fmt: skip
    unit.letters.failed(letter, because="The host is away.", due_at=NOON, at=NOON)


def _long_jobs(unit: ControlUnit) -> None:
    job = unit.jobs.page(state=None, kind=None, fingerprint=None, tenant=None, before=None, limit=1)[0]
    unit.jobs.extend(job, until=NOON)
    unit.jobs.got_further(job)


def _revisions(unit: ControlUnit) -> None:
    first = request(1)
    unit.requests.add(first)
    unit.requests.revise(first, replace(first, revision=2))
    unit.requests.void_votes(first.id, because="The voter has left.", staff=[ANNA])


def _reviews(unit: ControlUnit) -> None:
    unit.reviews.of(ReviewKind.SAMPLE, "evt_1")
    unit.reviews.about("evt_1")
    unit.reviews.own(ReviewId("rev_1"), ANNA)
    unit.reviews.has_of_month(PersonKey("local|anna"), NOON)


def _accounts(unit: ControlUnit) -> None:
    unit.staff.ask_to_confirm(ANNA, at=NOON)
    unit.staff.set_profile(ANNA, name="Anna", email="anna@new.example")
    unit.staff.set_credentials(ANNA, Credentials(password_hash="x", totp_sealed="x", totp_last_step=-1))


def _large_plans(plane: TenantPlane) -> None:
    book = plane.webhooks
    fill(book, [delivery(1)])
    book.candidate_at(everything(wanted=Wanted.FAILED), 1)
    run = planned(book, [delivery(1)])
    book.grow_run(run, run, ())


def _untried(plane: TenantPlane) -> None:
    book = plane.webhooks
    fill(book, [delivery(1)])
    book.claim_deliveries([delivery(1)], by=SENDER, until=NOON)
    book.give_back([now_of(book, delivery(1))], by=SENDER)


REST: Sequence[Callable[[ControlUnit], object]] = (
    _every_page_of_the_register,
    _freezes_of_every_scope,
    _consents,
    _letters,
    _long_jobs,
    _revisions,
    _reviews,
    _accounts,
)
PLANE_REST: Sequence[Callable[[TenantPlane], object]] = (
    _large_plans,
    _untried,
    lambda plane: plane.periods.books(PeriodId("2026-10")),
    lambda plane: plane.applied(ExecutionId("exe_1")),
)
