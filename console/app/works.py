"""What commands may ask of the composition, and the entry point of `sallyport`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.adapters.clock import SystemClock
from console.app.bridging import bridge_of
from console.app.building import open_storage, opened_building
from console.app.demo import run_demo
from console.app.serving import duties_of, serve
from console.cli.main import build_cli
from console.cli.works import DatabaseProbe, Rooms
from console.settings import Settings
from console.worker.process import run_once, run_until_signalled


class Composition:
    """The Works of the command line."""

    @contextmanager
    def opened(self, settings: Settings) -> Iterator[Rooms]:
        """Open the house for one command and close it afterwards."""
        with opened_building(settings) as building:
            yield Rooms(house=building.house, bulk=building.storage.bulk, sequencer=building.sequencer)

    def upgrade(self, settings: Settings) -> None:
        """Bring the control store and every plane to the newest shape."""
        storage = open_storage(settings, SystemClock())
        try:
            storage.upgrade()
            if settings.jobs.engine == "procrastinate":
                bridge_of(settings).upgrade()
        finally:
            storage.close()

    def probes(self, settings: Settings) -> Sequence[DatabaseProbe]:
        """Ask the control store and every plane how they are."""
        storage = open_storage(settings, SystemClock())
        try:
            return [
                DatabaseProbe(
                    name=probe.name,
                    kind=probe.kind,
                    fault=probe.fault,
                    revisions=probe.revisions,
                    is_current=probe.is_current,
                    facts=probe.facts,
                    clock_us=probe.clock_us,
                )
                for probe in storage.probes()
            ]
        finally:
            storage.close()

    def serve(self, settings: Settings) -> None:
        """Serve the console with its worker until a signal ends it."""
        serve(settings)

    def work(self, settings: Settings, *, once: bool) -> None:
        """Run the worker's duties until a signal ends it, or each once."""
        with opened_building(settings) as building:
            if once:
                run_once(duties_of(building))
            else:
                run_until_signalled(duties_of(building))

    def demo(self, *, tenants: int, host: str, port: int, var: Path) -> None:
        """Make the demo world where it is missing and serve it until a signal ends it."""
        run_demo(tenants=tenants, host=host, port=port, var=var)


def main() -> None:
    """Run the command line."""
    build_cli(Composition())()
