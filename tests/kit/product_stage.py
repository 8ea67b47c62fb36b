"""The demo product on a small stage: two tenants, the double of the console, browsers, and what the database saw."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from examples.product.app import create_app
from examples.product.people import hashed
from examples.product.store import Store
from sallyport_kit import Kit
from sallyport_kit.flask import Sallyport
from tests.kit.fake_console import FakeConsole, HandClock
from tests.kit.products import Browser, over_wsgi, settings
from tests.kit.seen import Seen

PASSWORD = "correct-horse-battery"
SECRET = hashed(PASSWORD)
CHANGING = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER)\b", re.IGNORECASE)


def person(key: str, name: str, role: str) -> dict[str, object]:
    email = f"{name.split(maxsplit=1)[0].lower()}@{key.split('-', maxsplit=1)[0]}.example"
    return {"id": key, "name": name, "email": email, "role": role, "is_active": True}


SEED = {
    "tenants": [
        {
            "id": "t-acme",
            "slug": "acme",
            "name": "Acme Robotics",
            "plan": "business",
            "members": [person("acme-1", "Ada Okafor", "owner"), person("acme-2", "<b>Zoë</b> Krüger", "member")],
            "invoices": [
                {
                    "number": "INV-1",
                    "state": "paid",
                    "amount_minor": 4_900,
                    "currency": "EUR",
                    "issued_on": "2026-11-01",
                }
            ],
        },
        {
            "id": "t-nord",
            "slug": "nord",
            "name": "Nordwind",
            "plan": "team",
            "members": [person("nord-1", "Jonas Brandt", "owner")],
            "invoices": [],
        },
    ]
}


@dataclass
class Stage:
    """The product, its console's double, and every statement that its database was told."""

    app: Flask
    console: FakeConsole
    file: Path
    said: list[str] = field(default_factory=list)

    @property
    def kit(self) -> Kit:
        found: Sallyport = self.app.extensions["sallyport"]
        return found.kit

    def browser(self) -> Browser:
        return Browser(over_wsgi(self.app.wsgi_app))

    def staff(self, *, mode: str = "read", subject: str = "acme-1", tenant: str = "t-acme") -> Browser:
        """Return the browser of a staff member who acts for a member."""
        browser = self.browser()
        row = self.console.start(tenant=tenant, subject=subject, mode=mode)
        handed = browser.open(f"/sallyport/enter?sid={row.sid}")
        back = self.console.handed_over(handed.get("Location")).removeprefix(self.console.product)
        assert browser.open(back).status == 303
        return browser

    def member(self, email: str = "ada@acme.example") -> Browser:
        """Return the browser of a member who signed in."""
        browser = self.browser()
        seen = self.send_form(browser, "/sign-in", email=email, password=PASSWORD)
        assert seen.status == 303, seen.text
        return browser

    def send_form(self, browser: Browser, path: str, **fields: str) -> Seen:
        """Send a form with the token that this browser's pages carry."""
        shown = browser.open("/projects")
        found = re.search(r'name="token" value="([^"]+)"', shown.text)
        return browser.send_form(path, {"token": found[1] if found else "", **fields})

    def stored(self) -> dict[str, list[tuple[object, ...]]]:
        """Return everything that the product has stored."""
        with closing(sqlite3.connect(self.file)) as raw:
            names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: sorted(raw.execute(f"SELECT * FROM {name}").fetchall(), key=str) for name in names}

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Collect what the database is told to change."""
        self.said.clear()
        changes: list[str] = []
        yield changes
        changes.extend(sql for sql in self.said if CHANGING.match(sql))


@contextmanager
def staged(folder: Path, *, console: FakeConsole | None = None) -> Iterator[Stage]:
    """Make the product in a folder, with a double of its own or with one that answers somewhere."""
    console = console or FakeConsole(clock=HandClock(at=time.time()))
    said: list[str] = []
    store = Store(folder / "fieldnote.db", watch=said.append)
    store.make(SEED, secret=SECRET)
    app = create_app(store, settings(console), session_key="a key for tests", call=console)
    app.testing = True
    stage = Stage(app, console, store.file, said)
    yield stage
    console.mood = "ok"
    stage.kit.close()
