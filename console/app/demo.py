"""The demo: an invented company's data and staff in a folder of its own, served on loopback only."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pyotp
from rich import console as terminal

from console.adapters.clock import SystemClock
from console.adapters.demo.drift import Plot
from console.adapters.demo.generator import PLANES, DemoWorld, demo_world
from console.adapters.demo.provider_world import ProviderWorld
from console.adapters.demo.receiver import RECEIVER_PORT, RECEIVER_URL
from console.adapters.demo.staff import DemoPerson, demo_environ, kept_staff, write_demo_file
from console.app.building import Building, open_storage, opened_building
from console.app.demo_making import DemoRefusedError, Shown, is_made, making
from console.app.demo_operations import furnish_operations
from console.app.demo_product import product_beside
from console.app.demo_story import open_what_is_watched
from console.app.serving import serve
from console.domain.errors import BadValueError
from console.domain.ids import ActionKey, ReasonCode, RequestId
from console.domain.import_rows import Row
from console.domain.reasons import Reason
from console.settings import Settings, load_settings
from console.usecases.import_directory import ImportSource, import_directory
from console.usecases.keep_reconciling import compare_tenant
from console.usecases.operator import operator
from console.usecases.outcomes import Ran
from console.usecases.propose_action import propose_action
from console.usecases.run_jobs import run_due_jobs
from console.usecases.set_credentials import set_credentials
from console.web.factory import DemoPerson as ShownPerson

_ROWS_PER_TENANT = 42  # for the bar only; the true number is known at the end


def run_demo(*, tenants: int, host: str, port: int, var: Path) -> None:
    """Make the demo world where it is missing, and serve it. Raises: BadValueError for an address of the network."""
    if not _is_loopback(host):
        raise BadValueError("The demo answers on this machine only.", field="host", remedy="Use 127.0.0.1.")
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = load_settings(demo_environ(var.resolve(), host=host, port=port, planes=PLANES))
    people = kept_staff(var)
    address = f"http://{host}:{port}"
    fill(settings, people, tenants=tenants)
    write_demo_file(var, people, address=address)
    with receiving(var), product_beside(settings, tenants=tenants) as product:
        serve(
            settings,
            people=lambda building: shown(building, people),
            ready=lambda: _tell(address, people, var, product),
        )


@contextmanager
def receiving(var: Path) -> Iterator[None]:
    """Let the demo's receiver answer beside the console; where its port is taken, that one gets the messages."""
    log = var / "receiver.jsonl"
    listens = (sys.executable, "-m", "console.adapters.demo.receiver", str(RECEIVER_PORT), str(log))
    process = subprocess.Popen(listens, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603  our own program
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=5)


def fill(
    settings: Settings, people: tuple[DemoPerson, ...], *, tenants: int, receiver: str = RECEIVER_URL,
    compares: bool = True,
) -> None:  # fmt: skip
    """Migrate, and make tenants and staff once per folder; Acme's webhooks go to the receiver.

    Shape: unless `compares` is off, the tenants that the plot breaks are reconciled, so that there are findings.
    Raises: DemoRefusedError.
    """
    if is_made(settings):
        _upgrade(settings)
        return
    telling = Shown()
    with making(settings, tenants=tenants):
        with telling.part("Making the databases"):
            _upgrade(settings)
        with opened_building(settings) as building:
            with telling.part("Hiring the staff") as part:
                for index, person in enumerate(people):
                    _hire(building, person, reference=f"HR-{index + 1}")
                    part.reached(index + 1, total=len(people))
            # The provider knows whole seconds only, and both sides must know the same.
            now = building.house.clock.now().replace(microsecond=0)
            world = demo_world(tenants, now=now, receiver=receiver, staff=_hired(building, people))
            plot = Plot()
            _import(building, world, plot, telling)
            if compares:
                with telling.part("Reconciling what is broken"):
                    _compare(building, plot)
            with telling.part("Living the days before"):
                furnish_operations(building.house, world.provider_invoices())
                open_what_is_watched(building, people)


def _upgrade(settings: Settings) -> None:
    storage = open_storage(settings, SystemClock())
    try:
        storage.upgrade()
    finally:
        storage.close()


def shown(building: Building, people: tuple[DemoPerson, ...]) -> tuple[ShownPerson, ...]:
    """Return the people whom the sign-in page of the demo introduces, with their present codes."""

    def code_of(person: DemoPerson) -> Callable[[], str]:
        return lambda: pyotp.TOTP(person.totp_secret).at(building.house.clock.now())

    return tuple(
        ShownPerson(
            role=person.role.value,
            label=person.role.label,
            name=person.name,
            email=person.email,
            password=person.password,
            code=code_of(person),
        )
        for person in people
    )


def _import(building: Building, world: DemoWorld, plot: Plot, telling: Shown) -> None:
    actor = operator(building.house, account="demo", command="sallyport demo")
    provider = None if building.fake_provider is None else ProviderWorld(building.fake_provider)
    seen = (lambda _books: None) if provider is None else provider.take
    total = world.tenant_count * _ROWS_PER_TENANT
    with telling.part("Making the demo world", total=total) as part:

        def rows() -> Iterator[Row]:
            yield from enumerate(world.records(seen=seen, plot=plot), start=1)
            part.turned("Keeping the demo world")

        answer = import_directory(
            building.house,
            building.storage.bulk,
            actor,
            source=ImportSource(name="demo world", rows=rows(), sha256=lambda: ""),
            progress=lambda rows: part.reached(rows, total=total),
        )
    if provider is not None:
        with telling.part("Putting the provider's lists in order"):
            provider.close(world)
    if not getattr(answer, "is_kept", False):
        raise DemoRefusedError(f"The demo world was not taken in: {answer}")


def _compare(building: Building, plot: Plot) -> None:
    """Reconcile what is broken; not the whole fleet, which takes longer than all the rest and would mend Acme too."""
    for tenant in plot.broken:
        compare_tenant(building.house, tenant)
    while run_due_jobs(building.house, worker="demo"):
        pass


def _hire(building: Building, person: DemoPerson, *, reference: str) -> None:
    house = building.house
    actor = operator(house, account="demo", command="sallyport demo")
    answer = propose_action(
        house,
        actor,
        key=ActionKey("staff.add"),
        tenant=None,
        raw={
            "name": person.name,
            "email": person.email,
            "person": "",
            "roles": [person.role.value],
            "vendor": person.vendor,
        },
        reason=Reason(code=ReasonCode("STAFF_CHANGE"), reference=reference, note="Demo staff"),
        mark=None,
        form_id=RequestId(house.ids.new("req")),
    )
    if not isinstance(answer, Ran):
        raise DemoRefusedError(f"{person.name} was not added: {answer}")
    set_credentials(
        house, actor, email=person.email, password=person.password, sealed=building.codes.sealed(person.totp_secret)
    )


def _hired(building: Building, people: tuple[DemoPerson, ...]) -> dict[str, str]:
    """Return the ids of the people by name."""
    with building.house.store.read() as unit:
        members = [unit.staff.by_email(person.email) for person in people]
    return {member.name: member.id for member in members if member is not None}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _tell(address: str, people: tuple[DemoPerson, ...], var: Path, product: str | None) -> None:
    out = terminal.Console(highlight=False, soft_wrap=True)
    agent = next(person for person in people if person.key == "support_agent")
    lead = next(person for person in people if person.key == "finance_lead")
    out.print(f"\n[bold]Sallyport[/bold] serves the demo at [bold]{address}[/bold]  (stop with Ctrl-C)")
    out.print("Sign in with e-mail, password and a one-time code; the sign-in page shows the code of the moment.")
    for person in (agent, lead):
        out.print(f"  {person.role.label:<14} {person.email:<34} {person.password}")
    where = f"answers at [bold]{product}[/bold] in a moment" if product else "is not there: the next port is taken"
    out.print(f"The product in which staff act for members {where}.")
    out.print(f"Everybody else, and the one-time-code secrets: {var / 'demo.json'}\n")
