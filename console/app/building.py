"""Builds a house from settings: storage, adapters, policy and registry, each exactly once."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import node

from pydantic import SecretStr

from console.actions.registry import Registry, registered
from console.adapters import ledger_folder, oidc
from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.clock import SystemClock
from console.adapters.demo.watched import watched
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.fingerprints import HmacFingerprints
from console.adapters.ids import TimeOrderedIds
from console.adapters.one_time_codes import SealedOneTimeCodes
from console.adapters.outbound_addresses import networks
from console.adapters.outbound_http import GuardedOutbound, OutboundRules
from console.adapters.passwords import Argon2Passwords
from console.adapters.signing_key import FileSigningKey
from console.adapters.tickets import DemoTickets, UncheckedTickets
from console.adapters.webhook_keys import SealedWebhookKeys
from console.app.bridging import bridge_of
from console.app.connecting import connected
from console.app.inbound import inbound_verifiers
from console.app.providing import provided
from console.app.scrubbing import scrub_logs
from console.app.telling import letters_of, notices_of
from console.domain.entries import Program
from console.domain.ids import PlaneId
from console.policy.book import PolicyBook
from console.policy.load import load_book
from console.ports.clock import Clock
from console.ports.customer_letters import LetterSink
from console.ports.identity import IdentityProvider
from console.ports.outbox import NoticeSink
from console.ports.sequencer import Sequencer
from console.settings import Settings
from console.storage.house import Storage, StorageSettings, open_store
from console.usecases.house import House

ROOT = Path(__file__).resolve().parents[2]
_SPARE_CONNECTIONS = 6  # the worker's duties run beside the request threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A house with everything that only the composition may touch."""

    settings: Settings
    house: House
    storage: Storage
    codes: SealedOneTimeCodes
    notices: NoticeSink
    letters: LetterSink
    sequencer: Sequencer
    fake_provider: FakeStripe | None


def open_storage(settings: Settings, clock: Clock) -> Storage:
    """Return the storage that settings describe; nothing is connected yet."""
    secrets, database = settings.secrets, settings.database
    return open_store(
        StorageSettings(
            database_url=settings.database_url,
            owner_url=_address(database.owner_url),
            fleet_url=_address(database.fleet_url),
            sequencer_url=_address(database.sequencer_url),
            import_url=_address(database.import_url),
            planes={PlaneId(name): url for name, url in settings.plane_urls.items()},
            pool_size=settings.server.threads + _SPARE_CONNECTIONS + settings.webhooks.senders + settings.jobs.runners,
            clock=clock,
            ids=TimeOrderedIds(),
            fingerprints=HmacFingerprints(secrets.fingerprint_key.get_secret_value()),
            webhook_keys=SealedWebhookKeys(secrets.sealing_key.get_secret_value()),
            deferred=bridge_of(settings).deferred if settings.jobs.engine == "procrastinate" else None,
            program=Program(build=settings.server.build or _version(), host=node()),
        )
    )


def _version() -> str:
    """Return the version that was installed, for who names no build."""
    try:
        return version("sallyport")
    except PackageNotFoundError:
        return "not installed"


def _address(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


@contextmanager
def opened_building(settings: Settings) -> Iterator[Building]:
    """Open a house and close it afterwards.

    Raises: OutsideError when a database is silent or of an older shape; PolicyFaultsError, ActionFaultsError.
    """
    scrub_logs()
    clock = SystemClock()
    registry = registered()
    book = _book_of(settings, registry)
    with ExitStack() as opened:
        storage = open_storage(settings, clock)
        opened.callback(storage.close)
        outbound = outbound_of(settings)
        opened.callback(outbound.close)
        billing = opened.enter_context(provided(settings, clock))
        storage.check()
        codes = SealedOneTimeCodes(settings.secrets.sealing_key.get_secret_value())
        house = House(
            store=storage.store,
            planes=storage.planes,
            fleet=storage.fleet,
            book=book,
            registry=registry,
            clock=clock,
            ids=TimeOrderedIds(),
            tickets=DemoTickets() if settings.tickets.adapter == "demo" else UncheckedTickets(),
            provider=billing.provider,
            provider_writer=billing.writer,
            ledgers=ledger_folder.LedgerFolder(settings.var / "exports"),
            passwords=Argon2Passwords(),
            codes=codes,
            identity=_identity(settings, clock),
            local_passwords=settings.allows_local_passwords,
            emergency_passwords=settings.passwords_are_for_emergencies,
            outbound=outbound,
            webhook_keys=SealedWebhookKeys(settings.secrets.sealing_key.get_secret_value()),
            webhook_fleet=storage.webhook_fleet,
            customer_claims=storage.customer_claims,
            access_fleet=storage.access_fleet,
            inbound_verifiers=inbound_verifiers(settings),
            provider_events=billing.events,
            product=connected(settings),
            fingerprints=HmacFingerprints(settings.secrets.fingerprint_key.get_secret_value()),
        )
        key = FileSigningKey.opened(settings.trail_key_file, name=settings.trail.name)
        yield Building(
            settings=settings,
            house=house,
            storage=storage,
            codes=codes,
            notices=notices_of(settings, house),
            letters=letters_of(settings, house),
            sequencer=storage.sequencer(key, CheckpointFolder(settings.checkpoint_folder)),
            fake_provider=billing.fake,
        )


def _book_of(settings: Settings, registry: Registry) -> PolicyBook:
    """Return the policies; a demo has tenants to watch, and no nightly run, which would mend its first journey."""
    book = load_book(
        found_folder(settings.policies), [(each.key, each.effect, each.reach.value) for each in registry.values()]
    )
    if settings.environment != "demo":
        return book
    return replace(book, reconciliation=replace(book.reconciliation, is_nightly=False), signals=watched(book.signals))


def outbound_of(settings: Settings) -> GuardedOutbound:
    """Return the way out of the house, as wide as settings allow."""
    chosen = settings.webhooks
    return GuardedOutbound(
        OutboundRules(
            ports=frozenset(chosen.ports),
            https_only=chosen.https_only,
            allowed=networks(chosen.allowed_networks),
            timeout_s=chosen.timeout_s,
            connect_timeout_s=chosen.connect_timeout_s,
        )
    )


def found_folder(folder: Path) -> Path:
    """Return a folder as named, or beside the program when the name is relative and not here."""
    return folder if folder.is_absolute() or folder.exists() else ROOT / folder


def _identity(settings: Settings, clock: Clock) -> IdentityProvider | None:
    chosen = settings.oidc
    if chosen is None:
        return None
    client = oidc.OidcClient(
        issuer=chosen.issuer,
        client_id=chosen.client_id,
        client_secret=chosen.client_secret.get_secret_value(),
        scopes=chosen.scopes,
        groups_claim=chosen.groups_claim,
        algorithms=chosen.algorithms,
        token_auth=chosen.token_auth,
        timeout_s=chosen.timeout_s,
    )
    return oidc.OidcProvider(client, clock=clock)
