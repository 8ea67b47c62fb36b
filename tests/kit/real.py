"""The tiny product in front of the real console, both in one process: what the double promises, the console keeps."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sallyport_kit import Kit, KitSettings, RouteTable
from sallyport_kit.calls import Reply
from sallyport_kit.wsgi import WsgiKit
from tests.kit.products import Browser, Told, over_wsgi, views, wsgi_app
from tests.products import ADDRESS, CLIENT_ID, CLIENT_SECRET, CONSOLE
from tests.web.cast import Browser as StaffBrowser
from tests.web.cast import Cast
from tests.web.product_stage import Entered, begun

ACTING = "__Host-sallyport-acting"


@dataclass
class Real:
    """The console's cast, the product's kit, and what the product noticed."""

    cast: Cast
    kit: Kit
    told: Told
    app: WsgiKit

    def enter(self, agent: StaffBrowser, who: str = "support_agent", **asked: Any) -> tuple[Entered, Browser]:  # noqa: ANN401
        """Walk the whole way: tenant, action, the product's way in, hand-off page, button, callback."""
        assert self.cast.open_tenant(agent, "nordwind").status_code in {303, 409}
        sid = begun(self.cast, who, **asked)
        browser = Browser(over_wsgi(self.app))
        there = urlsplit(browser.open(f"/sallyport/enter?sid={sid}").get("Location"))
        assert f"{there.scheme}://{there.netloc}" == CONSOLE
        shown = agent.get(f"{there.path}?{there.query}")
        assert shown.status_code == 200, shown.text
        pressed = agent.post(there.path, dict(parse_qsl(there.query)))
        assert pressed.status_code == 303, pressed.text
        back = pressed.headers["Location"]
        assert back.startswith(f"{ADDRESS}/sallyport/callback?")
        inside = browser.open(back.removeprefix(ADDRESS))
        assert inside.status == 303, inside.text
        return Entered(sid, browser.cookies[ACTING]), browser


@contextmanager
def real(cast: Cast, *, monotonic: Callable[[], float] | None = None) -> Iterator[Real]:
    """Put the product in front of a console; without a stopwatch of its own it lives by the cast's clock."""

    def wall() -> float:
        return cast.clock.now().timestamp()

    def call(method: str, url: str, *, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        client = cast.app.test_client(use_cookies=False)
        answer = client.open(
            url.removeprefix(CONSOLE), method=method, headers=dict(headers), data=body, buffered=True
        )  # fmt: skip
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.get_data())

    settings = KitSettings(
        console=CONSOLE, product=ADDRESS, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, report_every_s=3_600
    )
    told = Told()
    kit = Kit(settings, call=call, clock=wall, monotonic=monotonic or wall)
    table = RouteTable({name: view for name, view in views(told).items() if name != "GET /forgotten"})
    yield Real(cast, kit, told, WsgiKit(wsgi_app(told), kit, routes=table.in_environ))
    kit.close()


def stopwatch() -> float:
    """Return real seconds, for measuring how long an end takes to arrive."""
    return time.monotonic()
