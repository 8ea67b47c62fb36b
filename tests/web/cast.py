"""A small fixed cast: one staff member per role (some twice), two tenants, and browsers to act through."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pyotp
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import TestResponse

from console.actions.registry import Registry, registered
from console.adapters.billing import NoProvider
from console.adapters.ids import TimeOrderedIds
from console.adapters.one_time_codes import STEP_SECONDS, SealedOneTimeCodes
from console.adapters.passwords import Argon2Passwords
from console.adapters.tickets import DemoTickets
from console.domain.canonical import parse_canonical
from console.domain.ids import PersonKey, StaffId
from console.domain.staff import Role, StaffKind, StaffMember
from console.policy.book import PolicyBook
from console.policy.load import load_book
from console.ports.clock import Clock
from console.ports.identity import IdentityProvider
from console.ports.staff import Credentials
from console.ports.trail import EntryFilter
from console.storage.house import Storage, StorageSettings, open_store
from console.storage.shape import CONTROL_HEADS
from console.storage.upgrades import upgrade_database
from console.usecases.house import House
from console.web import factory
from console.web.factory import DemoPerson, WebOptions, make_web
from console.web.live import Streams
from console.web.options import Web
from console.web.sessions import StaffSessions
from tests import ground, postgres
from tests.databases import HandClock, TestFingerprints
from tests.ledgers import SHELF
from tests.products import connected_product
from tests.web.world import KESTREL, LONG_AGO, NORDWIND, TENANTS, provider, world
from tests.webhook_fakes import OpenKeys, QuietOutbound

__all__ = [
    "CODES",
    "KESTREL",
    "LONG_AGO",
    "NORDWIND",
    "PASSWORDS",
    "PEOPLE",
    "ROOT",
    "SEALING_KEY",
    "SESSION_KEY",
    "TENANTS",
    "Browser",
    "Cast",
    "Person",
    "demo_people",
    "make_house",
    "on_stage",
    "opened_house",
    "peopled_sqlite",
    "populate",
    "web_app",
    "web_options",
    "world",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
SEALING_KEY = "the sealing key of the fixture cast, 32+"
SESSION_KEY = "the session key of the fixture cast, 32+"
PASSWORDS = Argon2Passwords(memory_kib=8, rounds=1, lanes=1)
CODES = SealedOneTimeCodes(SEALING_KEY)
Headers = Mapping[str, str]
_TOKEN = re.compile(r'name="csrf-token" content="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A staff member of the cast, with everything that is needed to sign in."""

    key: str
    role: Role
    name: str
    id: StaffId
    password: str
    secret: str

    @property
    def email(self) -> str:
        """Return the sign-in address."""
        return f"{self.key.replace('_', '.')}@brightline.example"

    def code(self, now: datetime) -> str:
        """Return the one-time code of a moment."""
        return pyotp.TOTP(self.secret).at(now)


def _person(key: str, name: str, number: int) -> Person:
    return Person(
        key=key,
        role=Role(key.removesuffix("_2")),
        name=name,
        id=StaffId(f"stf_{number:026d}"),
        password=f"a long sentence for {key.replace('_', ' ')}",
        secret=pyotp.random_base32() if number < 0 else f"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3P{'ABCDEFGHIJKLMNOP'[number]}A",
    )


PEOPLE: dict[str, Person] = {
    key: _person(key, name, number)
    for number, (key, name) in enumerate(
        {
            "support_agent": "Noor Haddad",
            "support_lead": "Tomás Řehák",
            "finance": "Ines Okafor",
            "finance_lead": "Mara Lindqvist",
            "engineer": "Jonas Weber",
            "on_call": "Kwame Mensah",
            "security_auditor": "Leila Brandt",
            "administrator": "Petra Novak",
            "support_agent_2": "Lea Schulz",
            "support_lead_2": "Claire Dubois",
            "finance_lead_2": "Ravi Menon",
            "administrator_2": "Yuki Tanabe",
        }.items()
    )
}


@cache
def _registry() -> Registry:
    return registered()


@cache
def _book() -> PolicyBook:
    return load_book(ROOT / "policies", [(a.key, a.effect, a.reach.value) for a in _registry().values()])


@contextmanager
def opened_house(
    database_url: str, *, clock: Clock, identity: IdentityProvider | None = None, local_passwords: bool = True
) -> Iterator[tuple[House, Storage]]:
    """Put a house together from real storage, adapters and policies, and close it again."""
    ids = TimeOrderedIds()
    settings = StorageSettings(
        database_url=database_url,
        clock=clock,
        ids=ids,
        fingerprints=TestFingerprints(),
        webhook_keys=OpenKeys(),
    )
    storage = open_store(settings)
    try:
        yield (
            House(
                store=storage.store,
                planes=storage.planes,
                fleet=storage.fleet,
                book=_book(),
                registry=_registry(),
                clock=clock,
                ids=ids,
                tickets=DemoTickets(),
                provider=provider(),
                provider_writer=NoProvider(),
                ledgers=SHELF,
                passwords=PASSWORDS,
                codes=CODES,
                identity=identity,
                local_passwords=local_passwords,
                outbound=QuietOutbound(),
                webhook_keys=OpenKeys(),
                webhook_fleet=storage.webhook_fleet,
                customer_claims=storage.customer_claims,
                access_fleet=storage.access_fleet,
                inbound_verifiers={},
                provider_events={},
                product=connected_product(),
                fingerprints=TestFingerprints(),
            ),
            storage,
        )
    finally:
        storage.close()


def make_house(database_url: str, *, clock: Clock) -> House:
    """Return a house on a migrated database; who wants to close it uses `opened_house`."""
    return opened_house(database_url, clock=clock).__enter__()[0]


def populate(house: House, storage: Storage, *, seen: datetime = LONG_AGO) -> None:
    """Bring the cast and the two tenants onto the stage; `seen` is when everybody last signed in."""
    with house.store.write() as unit:
        for person in PEOPLE.values():
            member = StaffMember(
                id=person.id, person=PersonKey(f"local|{person.id}"), name=person.name, email=person.email,
                roles=frozenset({person.role}), kind=StaffKind.PERSON, is_active=True, created_at=seen,
                last_seen_at=seen,
            )  # fmt: skip
            unit.staff.add(member)
            hashed, sealed = PASSWORDS.hashed(person.password), CODES.sealed(person.secret)
            unit.staff.set_credentials(
                person.id, Credentials(password_hash=hashed, totp_sealed=sealed, totp_last_step=-1)
            )
    with storage.bulk.write() as bulk:
        bulk.put(world())


def peopled_url(engine: str, path: Path, create: Callable[..., str]) -> str:
    """Return the address of a database with cast and tenants on either engine; an SQLite one is a file at `path`."""
    return peopled_sqlite(path) if engine == "sqlite" else peopled_postgres(create)


def peopled_postgres(create: Callable[..., str]) -> str:
    """Return the address of a PostgreSQL database with cast and tenants; `create` is the fixture `pg_database`."""
    return create(postgres.template_database("template_cast", _peopled))


def peopled_sqlite(path: Path) -> str:
    """Return the address of an SQLite file with cast and tenants; the first of a run is made, the others are copies."""
    template = ground.folder() / "template-cast.db"
    if not template.exists():
        fresh = path.with_suffix(".cast")
        _peopled(f"sqlite:///{fresh}")
        fresh.replace(template)
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def _peopled(url: str) -> None:
    upgrade_database(url, heads=CONTROL_HEADS)
    with opened_house(url, clock=HandClock(LONG_AGO)) as (house, storage):
        populate(house, storage)
        if url.startswith("sqlite"):
            with storage.engines()[0].connect() as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def web_options(**changed: Any) -> WebOptions:  # noqa: ANN401  fields of WebOptions
    """Return options as a test wants them."""
    usual: dict[str, Any] = {
        "environment": "staging",
        "session_key": SESSION_KEY,
        "trusted_hosts": ("localhost", "127.0.0.1"),
        "templates": ROOT / "templates",
        "static": ROOT / "static",
        "local_passwords": True,
    }
    return WebOptions(**(usual | changed))


def web_app(house: House, **changed: Any) -> Flask:  # noqa: ANN401  fields of WebOptions
    """Return the app in front of a house; templates are compiled once per run, and the usual app is made once."""
    options = web_options(**changed)
    if changed:
        return _made(house, options)
    app = copy(_usual(factory.BLUEPRINTS))
    app.config = copy(app.config)
    web = Web(house=house, options=options, streams=Streams(most=options.most_streams))
    app.extensions = {**app.extensions, "sallyport": web}
    app.session_interface = StaffSessions(house, key=options.session_key)
    return app


@cache
def _usual(_blueprints: tuple[Blueprint, ...]) -> Flask:
    """Return the app as most tests want it, without a house: the same pages, gate and templates each time."""
    return _made(cast("House", None), web_options())


def _made(house: House, options: WebOptions) -> Flask:
    app = make_web(house, options)
    compiled = ground.folder() / "templates"
    compiled.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    return app


def demo_people(clock: Clock) -> tuple[DemoPerson, ...]:
    """Return the cast as the sign-in page of a demo shows it."""

    def shown(person: Person) -> DemoPerson:
        return DemoPerson(
            role=person.role.value,
            label=person.role.label,
            name=person.name,
            email=person.email,
            password=person.password,
            code=lambda: person.code(clock.now()),
        )

    return tuple(shown(person) for person in PEOPLE.values())


@dataclass
class Browser:
    """One person's browser: keeps cookies, and sends the token of the page that it saw last."""

    client: FlaskClient
    token: str = ""
    last: TestResponse | None = None

    def get(self, path: str, *, follow: bool = False, headers: Headers | None = None, **named: str) -> TestResponse:
        """Open a page; header names may be written as keywords, with underscores."""
        sent = _named(headers, named)
        return self._saw(self.client.get(path, headers=sent, follow_redirects=follow, buffered=True))

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        follow: bool = False,
        headers: Headers | None = None,
        **named: str,
    ) -> TestResponse:
        """Send a form with the token seen last, or another; an empty token sends none."""
        form = dict(data or {})
        used = self.token if token is None else token
        if used:
            form["csrf_token"] = used
        sent = _named(headers, named)
        return self._saw(self.client.post(path, data=form, headers=sent, follow_redirects=follow, buffered=True))

    def cookie(self, name: str) -> str:
        """Return a cookie's value, empty when there is none."""
        found = self.client.get_cookie(name)
        return found.value if found else ""

    def _saw(self, response: TestResponse) -> TestResponse:
        self.last = response
        found = _TOKEN.search(response.text) if response.mimetype == "text/html" else None
        if found and found[1]:
            self.token = found[1]
        return response


@dataclass
class Cast:
    """The people, the house they work in, the app in front of it, and a clock that a test moves."""

    house: House
    storage: Storage
    app: Flask
    clock: HandClock
    used: dict[str, int] = field(default_factory=dict)

    def stranger(self) -> Browser:
        """Return a browser that nobody has signed in with."""
        return Browser(self.app.test_client())

    def code(self, who: str) -> str:
        """Return a code that this person has not used; the clock moves on when that takes a while."""
        step = int(self.clock.now().timestamp()) // STEP_SECONDS
        if self.used.get(who, -1) >= step:
            wait = (self.used[who] + 1) * STEP_SECONDS - self.clock.now().timestamp()
            self.clock.pass_by(seconds=wait)
            step = self.used[who] + 1
        self.used[who] = step
        return PEOPLE[who].code(self.clock.now())

    def sign_in(self, who: str = "support_agent", *, browser: Browser | None = None) -> Browser:
        """Return a browser in which somebody has just signed in, with a fresh second factor."""
        used = browser or self.stranger()
        used.get("/sign-in")
        person = PEOPLE[who]
        form = {"email": person.email, "password": person.password, "code": self.code(who), "next": "/account"}
        answer = used.post("/sign-in", form)
        assert answer.status_code == 303, answer.text
        used.get("/account")
        return used

    def step_up(self, browser: Browser, who: str) -> TestResponse:
        """Show a fresh code on the step-up page."""
        browser.get("/step-up")
        return browser.post("/step-up", {"code": self.code(who), "next": "/account"})

    def open_tenant(
        self, browser: Browser, slug: str = "nordwind", *, reference: str = "ZD-48213", reason: str = "CUSTOMER_SUPPORT"
    ) -> TestResponse:
        """Open a tenant, for customer support unless another reason is given."""
        browser.get(f"/tenants/{slug}/lease")
        return browser.post(
            f"/tenants/{slug}/lease",
            {"reason_code": reason, "reason_reference": reference, "reason_note": "", "minutes": ""},
        )

    def entries(self, action: str | None = None) -> list[dict[str, Any]]:
        """Return the bodies of entries, oldest first."""
        with self.house.store.read() as unit:
            stored = unit.reader.page(EntryFilter(action=action), before=None, limit=1_000)
        return [_read(entry.body) for entry in reversed(stored)]

    def count(self, action: str) -> int:
        """Return how many entries of an action there are."""
        return len(self.entries(action))


@contextmanager
def on_stage(path: Path | str, **changed: Any) -> Iterator[Cast]:  # noqa: ANN401  fields of WebOptions, and two more
    """Give the whole cast on a fresh database: an SQLite file to be, or the address that `peopled_url` gave.

    Shape: fields of WebOptions may be changed, and `identity` (an IdentityProvider) and `people` (of the demo) given.
    """
    clock = HandClock()
    identity = changed.pop("identity", None)
    people: Callable[[Clock], tuple[DemoPerson, ...]] | None = changed.pop("people", None)
    has_passwords = changed.get("local_passwords", True)
    url = peopled_sqlite(path) if isinstance(path, Path) else path
    with opened_house(url, clock=clock, identity=identity, local_passwords=has_passwords) as (house, storage):
        if people is not None:
            changed["demo_people"] = people(clock)
        yield Cast(house=house, storage=storage, app=web_app(house, **changed), clock=clock)


def _read(body: bytes) -> dict[str, Any]:
    read: dict[str, Any] = parse_canonical(body)  # type: ignore[assignment]
    return read


def _named(headers: Headers | None, named: Headers) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in {**(headers or {}), **named}.items()}
