"""The composition root as the command line's tests need it: a real house on a real database, hand-made otherwise."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import click
from click.testing import CliRunner, Result
from sqlalchemy import text

from console.actions.registry import registered
from console.adapters.billing import NoProvider
from console.adapters.one_time_codes import SealedOneTimeCodes
from console.adapters.passwords import Argon2Passwords
from console.adapters.tickets import UncheckedTickets
from console.cli.main import build_cli
from console.cli.works import DatabaseProbe, Rooms
from console.policy.book import PolicyBook
from console.policy.load import load_book
from console.settings import Settings
from console.storage.engines import open_database
from console.storage.house import Storage, StorageSettings, open_store
from console.storage.parts import OWNER
from console.usecases.house import House
from tests.databases import CountedIds, HandClock, TestFingerprints
from tests.integration.cast import PaperSigner, PaperSink
from tests.ledgers import SHELF
from tests.products import connected_product
from tests.webhook_fakes import OpenKeys, QuietOutbound

ROOT = Path(__file__).parents[2]
SECRETS = {"session_key": "a1", "fingerprint_key": "b2", "sealing_key": "c3"}
PASSWORDS = Argon2Passwords()  # makes a hash when it is made, which takes its time
PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")


@cache
def book(folder: Path) -> PolicyBook:
    """Return the policy in a folder, read once."""
    return load_book(folder, [(a.key, a.effect, a.reach.value) for a in registered(()).values()])


def house_of(storage: Storage, clock: HandClock, ids: CountedIds, *, policies: Path = ROOT / "policies") -> House:
    """Return a house with the real policy and actions."""
    return House(
        store=storage.store,
        planes=storage.planes,
        fleet=storage.fleet,
        book=book(policies),
        registry=registered(()),
        clock=clock,
        ids=ids,
        tickets=UncheckedTickets(),
        provider=NoProvider(),
        provider_writer=NoProvider(),
        ledgers=SHELF,
        passwords=PASSWORDS,
        codes=SealedOneTimeCodes("seal" * 16),
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


@dataclass
class PaperWorks:
    """Opens a house on the database of the settings, and notes what else was asked of it."""

    clock: HandClock = field(default_factory=HandClock)
    ids: CountedIds = field(default_factory=CountedIds)
    signer: PaperSigner = field(default_factory=PaperSigner)
    sink: PaperSink = field(default_factory=PaperSink)
    asked: list[object] = field(default_factory=list)

    @contextmanager
    def opened(self, settings: Settings) -> Iterator[Rooms]:
        storage = self._storage(settings)
        try:
            house = house_of(storage, self.clock, self.ids, policies=settings.policies)
            storage.check()
            sequencer = storage.sequencer(self.signer, self.sink)
            yield Rooms(house=house, bulk=storage.bulk, sequencer=sequencer)
        finally:
            storage.close()

    def upgrade(self, settings: Settings) -> None:
        storage = self._storage(settings)
        try:
            storage.upgrade()
        finally:
            storage.close()

    def probes(self, settings: Settings) -> Sequence[DatabaseProbe]:
        database = open_database(settings.database_url, part=OWNER)
        try:
            with database.reading.connect() as connection:
                facts = {name: str(connection.execute(text(f"PRAGMA {name}")).scalar()) for name in PRAGMAS}
            return [DatabaseProbe(name="control store", kind="sqlite", revisions=("c1",), is_current=True, facts=facts)]
        finally:
            database.close()

    def serve(self, settings: Settings) -> None:
        self.asked.append(("serve", settings.server.host, settings.server.port))

    def work(self, settings: Settings, *, once: bool) -> None:
        self.asked.append(("work", once))

    def demo(self, *, tenants: int, host: str, port: int, var: Path) -> None:
        self.asked.append(("demo", tenants, host, port, var))

    def _storage(self, settings: Settings) -> Storage:
        address = StorageSettings(
            database_url=settings.database_url, clock=self.clock, ids=self.ids, fingerprints=TestFingerprints()
        )
        return open_store(address)


@dataclass
class Terminal:
    """Runs commands of one installation in a folder."""

    folder: Path
    works: PaperWorks = field(default_factory=PaperWorks)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def cli(self) -> click.Group:
        return build_cli(self.works)

    @property
    def config(self) -> Path:
        return self.folder / "sallyport.toml"

    def settle(self, database_url: str | None = None, *, more: str = "") -> None:
        """Write a settings file."""
        keys = "\n".join(f'{name} = "{(word + "0123456789") * 4}"' for name, word in SECRETS.items())
        database = f'[database]\nurl = "{database_url}"\n' if database_url else ""
        self.config.write_text(
            f'environment = "development"\nlocal_passwords = "on"\nvar = "{self.folder / "var"}"\n'
            f'policies = "{ROOT / "policies"}"\n{more}{database}[secrets]\n{keys}\n'
        )
        (self.folder / "var").mkdir(exist_ok=True)

    def __call__(self, *arguments: str, typed: str = "") -> Result:
        given = ["--config", str(self.config), *arguments]
        silent: dict[str, str | None] = {name: None for name in os.environ if name.startswith("SALLYPORT_")}
        return CliRunner().invoke(self.cli, given, input=typed, env={**silent, **self.environ, "COLUMNS": "200"})
