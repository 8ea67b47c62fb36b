"""What the product kit costs: the demo product with it beside the same product without, in turns, in one process."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from examples.product.app import create_app
from examples.product.store import Store
from sallyport_kit.acting import Acting, enter
from sallyport_kit.flask import Sallyport
from tests.bench.tables import Result, Samples, Table
from tests.kit.fake_console import FakeConsole, HandClock
from tests.kit.product_stage import SECRET, SEED
from tests.kit.products import Browser, over_wsgi, settings

_AIM_MS = 0.3
_MEMBER = "/sign-in"
_WALKS = (
    ("page", "/projects", "a page, its banner put in"),
    ("fragment", "/projects", "a fragment, its banner out of band"),
    ("data", "/api/projects", "JSON, marked by headers"),
    ("file", "/billing/invoices.csv", "a file, marked by headers"),
)


@dataclass(frozen=True)
class _Acts:
    """The bare product answering the very same member: somebody says who acts, and nothing is checked."""

    app: WSGIApplication
    who: Acting

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        enter(self.who)
        return self.app(environ, start_response)


def table(*, rounds: int) -> Table:
    """Measure p50 and p99 of both, and the difference of the medians, for a staff member and for a member."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "fieldnote.db")
        store.make(SEED, secret=SECRET)
        console = FakeConsole(clock=_Running())
        guarded = create_app(store, settings(console, report_every_s=0.5), session_key="k" * 32, call=console)
        bare = create_app(store, None, session_key="k" * 32)
        who, cookie = _entered(console, guarded.wsgi_app)
        results = [
            _result(
                key, what, rounds, _call(guarded.wsgi_app, path, cookie, key), _call(_Acts(bare, who), path, "", key)
            )
            for key, path, what in _WALKS
        ]
        enter(None)
        member = (_call(app, _MEMBER, "fieldnote=x", "member") for app in (guarded.wsgi_app, bare.wsgi_app))
        results.append(_result("member", "a page of a member, whom the kit leaves alone", rounds, *member))
        kit: Sallyport = guarded.extensions["sallyport"]
        kit.kit.close()
    note = f"Warm cache; introspection once a second; {len(console.reports):,} reports told meanwhile."
    heads = ("item", "what", "with kit p50/p99 ms", "bare p50/p99", "overhead p50 ms", "aim")
    return Table(title="Product kit: demo product with and without, inside one process", heads=heads,
                 results=tuple(results), note=note)  # fmt: skip


class _Running(HandClock):
    """The double's clock, running: tokens end and are renewed as they would be."""

    @property
    def at(self) -> float:
        return time.time()

    @at.setter
    def at(self, _moment: float) -> None:
        """Leave the time as it is."""


def _entered(console: FakeConsole, app: WSGIApplication) -> tuple[Acting, str]:
    browser = Browser(over_wsgi(app))
    row = console.start(subject="acme-1")
    handed = browser.open(f"/sallyport/enter?sid={row.sid}")
    browser.open(console.handed_over(handed.get("Location")).removeprefix(console.product))
    who = Acting(
        sid=row.sid, staff=row.staff, staff_name=row.staff_name, tenant=row.tenant, subject=row.subject, mode="read",
        not_after=row.not_after, idle_until=row.idle_until, reason_code="", reference="", leave="",
    )  # fmt: skip
    return who, f"sallyport-acting={browser.cookies['sallyport-acting']}"


def _call(app: WSGIApplication, path: str, cookie: str, kind: str) -> Callable[[], float]:
    """Return what answers one request and tells how long it took. Units: seconds."""
    fixed = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8001", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "HTTP_ACCEPT": "text/html",
        "HTTP_HOST": "127.0.0.1:8001", "HTTP_ACCEPT_ENCODING": "gzip", "HTTP_USER_AGENT": "Mozilla/5.0",
        "HTTP_COOKIE": cookie, "HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_USER": "?1",
    }  # fmt: skip
    if kind == "fragment":
        fixed["HTTP_HX_REQUEST"] = "true"
    statuses: list[str] = []

    def start(status: str, _headers: object, _exc_info: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _piece: None

    def call() -> float:
        environ = {**fixed, "wsgi.input": BytesIO()}
        started = time.process_time()
        answer = app(environ, start)
        body = b"".join(answer)
        if (close := getattr(answer, "close", None)) is not None:
            close()
        spent = time.process_time() - started
        if statuses.pop() != "200 OK" or not body:
            message = f"{path} did not answer"
            raise RuntimeError(message)
        return spent

    return call


def _result(key: str, what: str, rounds: int, ours: Callable[[], float], bare: Callable[[], float]) -> Result:
    for warm in (ours, bare):
        for _ in range(20):
            warm()
    pairs = [(ours(), bare()) for _ in range(rounds)]
    with_kit, without = (Samples(tuple(pair[side] for pair in pairs)) for side in (0, 1))
    more = (median(pair[0] for pair in pairs) - median(pair[1] for pair in pairs)) * 1_000
    met = f"<= {_AIM_MS:g} {'met' if more <= _AIM_MS else 'MISSED'}"
    cells = (
        what,
        f"{with_kit.p50:.2f} / {with_kit.p99:.1f}",
        f"{without.p50:.2f} / {without.p99:.1f}",
        f"{more:.3f}",
        met,
    )
    return Result(key=key, cells=cells)
