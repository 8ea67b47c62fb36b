"""A house of real storage, real policy and real people for the tests that race it, kill it and break it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from console.actions.registry import Registry, registered
from console.adapters.billing import NoProvider
from console.adapters.ids import TimeOrderedIds
from console.adapters.tickets import DemoTickets
from console.domain.entries import Program
from console.domain.ids import ActionKey, PersonKey, PlaneId, ReasonCode, RequestId, TenantId
from console.domain.import_entitlements import EntitlementRecord, FeatureRecord, PlanRecord
from console.domain.imports import Record, SubscriptionRecord, TenantRecord, tenant_id_of
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.requests import Request, Verdict
from console.domain.staff import Actor
from console.policy.book import PolicyBook
from console.policy.load import load_book
from console.ports.clock import Clock
from console.storage.engines import parsed_url
from console.storage.house import Storage, StorageSettings, open_store
from console.usecases.house import House
from console.usecases.open_lease import open_lease
from console.usecases.outcomes import Proposal, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import RequestPage, read_request
from console.usecases.vote_on_request import Voted, vote_on_request
from tests.databases import TestFingerprints, plane_url
from tests.ledgers import SHELF
from tests.products import connected_product
from tests.web.cast import CODES, LONG_AGO, PASSWORDS, PEOPLE, peopled_url
from tests.webhook_fakes import OpenKeys, QuietOutbound

ROOT = Path(__file__).resolve().parents[2]
FAR = PlaneId("far")
CONTRACT = Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-117")
FRAUD = Reason(code=ReasonCode("FRAUD_ABUSE_REVIEW"), reference="CASE-77", note="Many cards, one address.")
OVERRIDE, NOTE, SUSPEND = (
    ActionKey(key) for key in ("entitlement.override", "tenant.add_note", "tenant.suspend")
)  # fmt: skip
UNTIL = "2027-03-31"
SEATS = 150


def tenant(slug: str) -> TenantId:
    """Return the id of one of the stage's tenants."""
    return tenant_id_of(slug)


def catalogue() -> list[Record]:
    """Return a price list with one limit that is paid for."""
    return [
        FeatureRecord(key="seats", name="Seats", measure="limit", unit="seats", unit_price_minor=900, currency="EUR"),
        PlanRecord(key="business", name="Business", amount_minor=49_900, currency="EUR"),
        EntitlementRecord(plan="business", feature="seats", value=SEATS),
    ]


def tenant_records(slug: str, plane: PlaneId) -> list[Record]:
    """Return a tenant that may use `SEATS` seats."""
    return [
        TenantRecord(
            external_id=slug, slug=slug, name=f"{slug.title()} GmbH", region="eu", plan="business", status="active",
            tier="shared", plane=plane, domains=(f"{slug}.example",), provider_customer=f"cus_{slug}", country="DE",
            created_at=LONG_AGO,
        ),
        SubscriptionRecord(
            tenant=slug, plan="business", status="active", provider_customer=f"cus_{slug}", seats=3,
            amount_minor=49_900, currency="EUR", started_at=LONG_AGO, renews_at=LONG_AGO + timedelta(days=365),
            mirrored_at=LONG_AGO,
        ),
    ]  # fmt: skip


@cache
def registry() -> Registry:
    """Return the actions of the house."""
    return registered()


@cache
def book() -> PolicyBook:
    """Return the policies of the house."""
    return load_book(ROOT / "policies", [(each.key, each.effect, each.reach.value) for each in registry().values()])


def by_hand(policy: PolicyBook, *keys: ActionKey) -> PolicyBook:
    """Return the policies with some actions run by hand, so that an approved request waits for its executors."""
    rules = {key: replace(rule, runs="by_hand") if key in keys else rule for key, rule in policy.actions.items()}
    return replace(policy, actions=rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An open house, its storage, and the addresses under which somebody with the database itself sees it."""

    house: House
    storage: Storage
    urls: Mapping[PlaneId, str]
    url: str

    def actor(self, who: str, house: House | None = None) -> Actor:
        """Return somebody of the cast who has just shown a second factor."""
        person = PEOPLE[who]
        return Actor(
            staff=person.id,
            person=PersonKey(f"local|{person.id}"),
            name=person.name,
            email=person.email,
            roles=frozenset({person.role}),
            stepped_up_at=(house or self.house).clock.now(),
        )

    def form(self) -> RequestId:
        """Return the id of a new form."""
        return RequestId(self.house.ids.new("req"))

    def open(self, who: str, slug: str, reason: Reason = CONTRACT) -> Lease:
        """Open a tenant for somebody."""
        lease = open_lease(self.house, self.actor(who), tenant=tenant(slug), reason=reason, minutes=None)
        assert isinstance(lease, Lease), lease
        return lease

    def ask(
        self, who: str, slug: str, key: ActionKey, raw: Mapping[str, str], *, reason: Reason = CONTRACT,
        form_id: RequestId | None = None,
    ) -> Proposal:  # fmt: skip
        """Ask for an action on a tenant that is open."""
        return propose_action(
            self.house,
            self.actor(who),
            key=key,
            tenant=tenant(slug),
            raw=raw,
            reason=reason,
            mark=None,
            form_id=form_id or self.form(),
        )

    def filed(self, who: str, slug: str, value: int) -> Request:
        """Return a filed override that waits for a finance lead."""
        answer = self.ask(who, slug, OVERRIDE, {"feature": "seats", "value": str(value), "until": UNTIL})
        assert isinstance(answer, Waiting), answer
        return answer.request

    def see(self, who: str, request: RequestId) -> RequestPage:
        """Show the diff to somebody."""
        page = read_request(self.house, self.actor(who), request_id=request)
        assert isinstance(page, RequestPage), page
        return page

    def approve(self, who: str, request: Request) -> Voted:
        """Look and approve."""
        self.see(who, request.id)
        answer = vote_on_request(
            self.house, self.actor(who), request_id=request.id, digest=request.digest, verdict=Verdict.APPROVE
        )
        assert isinstance(answer, Voted), answer
        return answer

    def now(self, request: RequestId) -> Request:
        """Return a request as it is stored."""
        with self.storage.store.read() as unit:
            found = unit.requests.get(request)
        assert found is not None
        return found

    def count(self, sql: str, *values: object, plane: PlaneId | None = None) -> int:
        """Return a number that somebody with the database itself reads."""
        return int(rows(self.url if plane is None else self.urls[plane], sql, *values)[0][0])

    def entries(self, action: str, correlation: str | None = None) -> int:
        """Return how many entries of an action there are, about one request or all."""
        if correlation is None:
            return self.count("SELECT count(*) FROM audit_event WHERE action = ?", action)
        return self.count(
            "SELECT count(*) FROM audit_event WHERE action = ? AND correlation = ?", action, correlation
        )  # fmt: skip


def rows(url: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement as the owner of a database, past every guard of the house."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(parsed_url(url).database), timeout=10)) as raw, raw:
            return raw.execute(sql, values).fetchall()
    with closing(psycopg.connect(url.replace("+psycopg", ""))) as server, server:
        done = server.execute(sql.replace("?", "%s").encode(), values or None)
        return done.fetchall() if done.description else []


def new_urls(
    engine: str, path: Path, create: Callable[..., str], *, far: bool = False
) -> tuple[str, dict[PlaneId, str]]:  # fmt: skip
    """Return the address of a control store with the cast in it, and of a plane elsewhere when one is wanted."""
    url = peopled_url(engine, path / "control.db", create)
    return url, {FAR: plane_url(engine, path / "far.db", create)} if far else {}


@contextmanager
def opened_stage(
    url: str,
    planes: Mapping[PlaneId, str],
    *,
    clock: Clock,
    policy: PolicyBook | None = None,
    pool_size: int = 12,
    program: Program | None = None,
) -> Iterator[Stage]:
    """Open a house on databases that are there, and close it again."""
    ids = TimeOrderedIds()
    storage = open_store(
        StorageSettings(
            database_url=url,
            planes=planes,
            clock=clock,
            ids=ids,
            fingerprints=TestFingerprints(),
            webhook_keys=OpenKeys(),
            pool_size=pool_size,
            program=program,
        )
    )
    house = House(
        store=storage.store,
        planes=storage.planes,
        fleet=storage.fleet,
        book=policy or book(),
        registry=registry(),
        clock=clock,
        ids=ids,
        tickets=DemoTickets(),
        provider=NoProvider(),
        provider_writer=NoProvider(),
        ledgers=SHELF,
        passwords=PASSWORDS,
        codes=CODES,
        identity=None,
        local_passwords=True,
        outbound=QuietOutbound(),
        webhook_keys=OpenKeys(),
        webhook_fleet=storage.webhook_fleet,
        customer_claims=storage.customer_claims,
        access_fleet=storage.access_fleet,
        inbound_verifiers={},
        provider_events={},
        product=connected_product(),
        fingerprints=TestFingerprints(),
    )
    try:
        yield Stage(house=house, storage=storage, urls=planes, url=url)
    finally:
        storage.close()


def settle_in(stage: Stage, slugs: Sequence[str], far: Sequence[str] = ()) -> None:
    """Import the price list and tenants on this plane and the far one."""
    with stage.storage.bulk.write() as bulk:
        bulk.put(catalogue())
        for slug in slugs:
            bulk.put(tenant_records(slug, PlaneId("shared")))
        for slug in far:
            bulk.put(tenant_records(slug, FAR))


def behind(stage: Stage, **ports: Any) -> House:  # noqa: ANN401  fields of House
    """Return the same house with ports that a test has put its hand into."""
    return replace(stage.house, **ports)
