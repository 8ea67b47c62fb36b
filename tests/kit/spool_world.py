"""A product that is killed while a staff member works in it: its own process, told what to serve by a token."""

from itertools import count

from sallyport_kit import Kit, KitSettings, RouteTable
from sallyport_kit.wsgi import WsgiKit
from tests.kit.fake_console import CLIENT, SECRET
from tests.kit.products import Browser, Told, over_wsgi, views, wsgi_app


def spooled(console: str, product: str, spool: str) -> KitSettings:
    """Return the settings of a product that tells nothing by itself until it ends."""
    return KitSettings(
        console=console, client_id=CLIENT, client_secret=SECRET, product=product, report_every_s=3_600.0, spool=spool
    )


def work(console: str, product: str, spool: str, token: str) -> None:
    """Serve one request after the other, and say of each that it was answered."""
    told = Told()
    kit = Kit(spooled(console, product, spool))
    table = RouteTable({name: view for name, view in views(told).items() if name != "GET /forgotten"})
    browser = Browser(over_wsgi(WsgiKit(wsgi_app(told), kit, routes=table.in_environ)))
    browser.cookies["sallyport-acting"] = token
    for number in count(1):
        seen = browser.open("/members" if number % 2 else "/rows")
        print(number, seen.status, flush=True)  # noqa: T201  the test reads it
