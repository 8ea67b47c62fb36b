"""A whole demo on loopback for real browsers: its data, staff and duties, and a clock that runs and can be moved on."""

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from unittest.mock import patch
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pyotp
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from console.adapters.demo.generator import PLANES
from console.adapters.demo.receiver import Moods, Receiver
from console.adapters.demo.staff import DemoPerson, demo_environ, demo_staff
from console.adapters.one_time_codes import STEP_SECONDS
from console.app.building import Building, opened_building
from console.app.demo import fill, shown
from console.app.serving import app_of, duties_of
from console.settings import Settings, load_settings
from console.worker.loop import Loop
from tests.web.cast import PASSWORDS

TENANTS = 24  # Acme, every trap of the generator, and some that are plain
ACME = "acme-robotics"
LOCKED_OUT_INVOICE = "INV-2026-000017"
_ANSWER = "stage.answer"


@dataclass
class RunningClock:
    """The machine's clock, set forward by as much as a test says."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_by(self, **duration: float) -> None:
        """Move on by a timedelta's words."""
        self.ahead += timedelta(**duration)


@dataclass(frozen=True)
class Answer:
    """What one question got: of which endpoint, if any, and of what kind."""

    method: str
    endpoint: str | None
    status: int
    mimetype: str


@dataclass
class Stage:
    """The served demo: where it answers, who may sign in, its clock, and what each address answered last."""

    address: str
    people: dict[str, DemoPerson]
    clock: RunningClock
    building: Building
    receiver: Receiver
    app: Flask
    answers: dict[str, Answer] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)

    def code(self, who: str) -> str:
        """Return a one-time code that this person has not shown yet; the clock moves on where it must."""
        step = self._step()
        if self.used.get(who, -1) >= step:
            behind = (self.used[who] + 1) * STEP_SECONDS - self.clock.now().timestamp()
            self.clock.pass_by(seconds=behind)
            step = self._step()
        self.used[who] = step
        return pyotp.TOTP(self.people[who].totp_secret).at(self.clock.now())

    def note(self, answer: Response) -> Response:
        """Remember what an address answered."""
        asked = Answer(request.method, request.endpoint, answer.status_code, answer.mimetype or "")
        self.answers[request.environ["REQUEST_URI"]] = asked
        return answer

    def _step(self) -> int:
        return int(self.clock.now().timestamp()) // STEP_SECONDS


class _Silent(WSGIRequestHandler):
    """The request log of werkzeug would drown what a failing test says."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  the name is werkzeug's
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Close the answer, which werkzeug forgets where the browser leaves while it is being sent."""
        if environ and (answer := environ.get(_ANSWER)) is not None:
            answer.close()


def _remembered(app: Flask) -> WSGIApplication:
    """Return the application, with each answer kept where the one who sends it finds it again."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = environ[_ANSWER] = app(environ, start_response)
        return answer

    return call


@dataclass(frozen=True)
class World:
    """The demo's data as nobody has touched them yet, whose copies are served; its endpoints name the receiver."""

    folder: Path
    people: tuple[DemoPerson, ...]
    receiver: Receiver

    def settings_in(self, var: Path, own: Mapping[str, str] = MappingProxyType({})) -> Settings:
        """Return the settings of this world, or of its copy in another folder."""
        own_port = {"SALLYPORT_WEBHOOKS__PORTS": f"443,{self.receiver.url.rpartition(':')[2]}"}
        return load_settings(demo_environ(var.resolve(), planes=PLANES) | own_port | dict(own))


@contextmanager
def made_world(folder: Path) -> Iterator[World]:
    """Make the demo world once, for as many stages as want a copy of it."""
    world = World(folder, demo_staff(), Receiver().start())
    try:
        with _quick_passwords():
            settings = world.settings_in(folder)
            fill(settings, world.people, tenants=TENANTS, receiver=world.receiver.url, compares=False)  # journeys ask
        yield world
    finally:
        world.receiver.stop()


def _quick_passwords() -> AbstractContextManager[object]:
    """Replace what hashes passwords: what that costs is no journey's subject."""
    return patch("console.app.building.Argon2Passwords", lambda: PASSWORDS)


@contextmanager
def raised(world: World, var: Path, *, port: int = 0, own: Mapping[str, str] = MappingProxyType({})) -> Iterator[Stage]:
    """Serve a copy of a world from a folder on this machine: on a free port, or on the one that is named.

    Shape: `own` are settings on top of the demo's.
    """
    clock = RunningClock()
    shutil.copytree(world.folder, var, dirs_exist_ok=True)
    receiver = world.receiver
    receiver.moods = Moods()
    receiver.log.clear()
    with (
        patch("console.app.building.SystemClock", lambda: clock),
        _quick_passwords(),
        opened_building(world.settings_in(var, own)) as building,
    ):
        app = app_of(building, people=shown(building, world.people))
        server = make_server("127.0.0.1", port, _remembered(app), threaded=True, request_handler=_Silent)
        thread = threading.Thread(target=server.serve_forever, name="stage", daemon=True)
        loop = Loop(duties_of(building))
        thread.start()
        loop.start()
        try:
            by_key = {person.key: person for person in world.people}
            address = f"http://127.0.0.1:{server.server_port}"
            stage = Stage(address, by_key, clock, building, receiver, app)
            app.after_request(stage.note)
            yield stage
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            loop.stop()
