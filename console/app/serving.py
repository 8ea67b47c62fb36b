"""Serves the console with gunicorn: one process, several threads, and the worker's duties beside them."""

import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.exceptions import BadRequest

from console.app.building import ROOT, Building, opened_building
from console.app.sending import sending_duties
from console.settings import Settings, load_settings
from console.storage.sittings import sitting
from console.usecases.deliver_letters import deliver_letters
from console.usecases.deliver_notices import deliver_notices
from console.usecases.keep_consents import keep_consents
from console.usecases.keep_time import end_overdue
from console.usecases.publish_accesses import publish_accesses
from console.usecases.recover_executions import recover_executions
from console.usecases.start_house import start_house, stop_house
from console.usecases.watch_trail import watch_trail
from console.web.factory import DemoPerson, WebOptions, make_web
from console.worker.loop import INTERVALS, Duty, Loop, duties

_LOG = logging.getLogger(__name__)
_SWITCH_S = 0.0005  # a request asks for its turn after every statement, and waits that long while a job computes


def create_app() -> Flask:
    """Return the console for a WSGI server of one's own; the worker must then run beside it (`sallyport worker`)."""
    building = opened_building(load_settings(os.environ)).__enter__()  # closed with the process
    return app_of(building)


def app_of(building: Building, *, people: tuple[DemoPerson, ...] = ()) -> Flask:
    """Return the web app of a building; a body that gunicorn cannot read on is the sender's fault: 400."""
    settings = building.settings
    app = make_web(
        building.house,
        WebOptions(
            environment=settings.environment,
            session_key=settings.secrets.session_key.get_secret_value(),
            trusted_hosts=settings.server.trusted_hosts,
            trusted_proxies=settings.server.trusted_proxies,
            templates=ROOT / "templates",
            static=ROOT / "static",
            oidc_enabled=settings.oidc is not None,
            identity_label=settings.oidc.label if settings.oidc else "company account",
            local_passwords=settings.allows_local_passwords,
            demo_people=people,
            most_streams=settings.server.threads // 2,
        ),
    )
    app.register_error_handler(ParseException, lambda _error: app.handle_user_exception(BadRequest()))
    app.wsgi_app = _seated(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's own documentation has it
    return app


def _seated(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Let each request use the same connections from its first unit to its last; what streams on has none of them."""

    def seated(environ: Any, start_response: Any) -> Any:  # noqa: ANN401  WSGI's own
        with sitting():
            return answer(environ, start_response)

    return seated


def duties_of(building: Building) -> tuple[Duty, ...]:
    """Return what runs again and again beside the requests."""
    house = building.house
    runs: dict[str, Callable[[], object]] = {
        "sequence": building.sequencer.run_once,
        "deliver_notices": lambda: deliver_notices(house, building.notices),
        "watch_trail": lambda: watch_trail(house),
        "publish_accesses": lambda: publish_accesses(house),
        "keep_consents": lambda: keep_consents(house),
        "deliver_letters": lambda: deliver_letters(house, building.letters, address=building.settings.letters.address),
        "end_overdue": lambda: end_overdue(house),
        "recover_executions": lambda: recover_executions(house),
    }
    interval = {"sequence": building.settings.trail.sequencer_interval_ms / 1000}
    return (*duties(runs, every_s={**INTERVALS, **interval}), *sending_duties(building))


class QuietResponse(wsgi.Response):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's answer without the line that tells a scanner which server to try its list on."""

    def default_headers(self) -> list[str]:
        """Return the lines before the app's own headers."""
        return [line for line in super().default_headers() if not line.startswith("Server:")]


class OnceWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's worker, but a message gets one answer.

    Where the app answers without reading a body, and the body then makes no sense, gunicorn answers a second time:
    whoever shares the connection in front of us would take that for the answer to the next request.
    """

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401
        """Answer what could not be read; a message that was read so far has its answer, and the connection closes."""
        if req is None or not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn with everything set here: no configuration file, no control socket."""

    def __init__(
        self, settings: Settings, *, people: Callable[[Building], tuple[DemoPerson, ...]], ready: Callable[[], None]
    ) -> None:
        """Keep what the serving process will open after its fork; `ready` is called once it can serve."""
        self._settings = settings
        self._people = people
        self._ready = ready
        self._opened: AbstractContextManager[Building] | None = None
        self._building: Building | None = None
        self._loop: Loop | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options from ours."""
        server = self._settings.server
        options: dict[str, Any] = {
            "bind": f"{server.host}:{server.port}",
            "workers": 1,
            "threads": server.threads,
            "worker_class": OnceWorker,
            "control_socket_disable": True,
            "graceful_timeout": 5,
            "timeout": 60,
            "loglevel": "warning",
            "proc_name": "sallyport",
            "worker_exit": lambda _arbiter, _worker: self._close(),
            "limit_request_line": 4094,
            "limit_request_fields": 100,
            "limit_request_field_size": 8190,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the house inside the serving process and begin the worker's duties."""
        wsgi.Response = QuietResponse  # the only place from which gunicorn takes it
        self._opened = opened_building(self._settings)
        self._building = self._opened.__enter__()
        for warning in start_house(self._building.house, settings_digest=digest_of(self._settings)):
            _LOG.warning("%s", warning)
        app = app_of(self._building, people=self._people(self._building))
        self._loop = Loop(duties_of(self._building))
        self._loop.start()
        sys.setswitchinterval(_SWITCH_S)
        gc.freeze()  # what was loaded stays to the end; collections need not look through it again and again
        self._ready()
        return app

    def _close(self) -> None:
        if self._loop is not None:
            self._loop.stop()
        if self._building is not None and self._opened is not None:
            stop_house(self._building.house)
            self._opened.__exit__(None, None, None)
            self._opened = None


def serve(
    settings: Settings,
    *,
    people: Callable[[Building], tuple[DemoPerson, ...]] = lambda _building: (),
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal ends it."""
    Server(settings, people=people, ready=ready).run()


def digest_of(settings: Settings) -> str:
    """Return a digest of the settings in force; secrets count as stars."""
    return sha256(settings.model_dump_json().encode()).hexdigest()
