"""What docs/kit.md and the kit's README say works as it stands there: every snippet is run against the double."""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from sallyport_kit import NEVER_ALLOWED, Kit, KitSettings
from sallyport_kit.pages import REFUSALS
from tests.architecture.tree import ROOT
from tests.kit.fake_console import CLIENT, SECRET, FakeConsole
from tests.kit.products import Browser, over_asgi, over_wsgi

PAGE = (ROOT / "docs" / "kit.md").read_text()
README = (ROOT / "kits" / "python" / "README.md").read_text()


def snippets(text: str) -> dict[str, str]:
    """Return the Python of a page by the file that its first line names; continued ones are put together."""
    found: dict[str, str] = {}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        named = re.match(r"# ([a-z_]+\.py)(, continued)?\n", code)
        name = named[1] if named else "readme.py"
        found[name] = found.get(name, "") + "\n\n" + code
    return found


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeConsole]:
    console = FakeConsole()
    environ = {
        "CONSOLE": console.address, "PRODUCT": console.product, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET,
        "REPORT_EVERY_S": "3600",
    }  # fmt: skip
    for name, value in environ.items():
        monkeypatch.setenv(f"SALLYPORT_KIT_{name}", value)
    monkeypatch.setenv("SECRET_KEY", "a key for tests")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, code in (snippets(PAGE) | snippets(README)).items():
        (tmp_path / name).write_text(code)
    yield console
    for name in snippets(PAGE):
        sys.modules.pop(name.removesuffix(".py"), None)


def loaded(name: str) -> ModuleType:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def directed(kit: Kit, console: FakeConsole) -> None:
    """Lead the kit of a snippet to the double, and give it the double's clock."""
    other = Kit(kit.settings, call=console, clock=console.clock.wall, monotonic=console.clock.monotonic)
    kit.close()
    kit.__dict__ |= other.__dict__


def staff(console: FakeConsole, app: Callable[..., Any], *, is_asgi: bool = False) -> Browser:
    browser = Browser(over_asgi(app) if is_asgi else over_wsgi(app))
    row = console.start()
    back = urlsplit(console.handed_over(browser.open(f"/sallyport/enter?sid={row.sid}").get("Location")))
    assert browser.open(f"{back.path}?{back.query}").status == 303
    return browser


@pytest.mark.parametrize("name", ["product", "readme"])
def test_its_flask_product_works(console: FakeConsole, name: str) -> None:
    module = loaded(name)
    kit = module.app.extensions["sallyport"]
    directed(kit.kit, console)
    browser = staff(console, module.app.wsgi_app)
    assert 'id="sallyport-banner"' in browser.open("/projects").text
    password = {"product": "/settings/password", "readme": "/password"}[name]
    assert browser.post(password).get("X-Impersonation-Refused") == "never_allowed"
    if name == "product":
        assert browser.open("/unsubscribe").get("X-Impersonation-Refused") == "read_mode"
        assert b'"m-ada"' in browser.open("/me").body
        assert browser.open("/unread").status == 200
        loaded("test_product").test_every_endpoint_is_declared()
        module.after_password_reset("ev_1", "t-acme", "m-ada")
        console.clock.pass_by(2)
        assert browser.open("/projects").status == 401
        assert Browser(over_wsgi(module.app.wsgi_app)).open("/me").status == 200
    kit.kit.close()


@pytest.mark.parametrize("name", ["plain_wsgi", "plain_asgi"])
def test_its_plain_products_work(console: FakeConsole, name: str) -> None:
    module = loaded(name)
    directed(module.kit, console)
    browser = staff(console, module.application, is_asgi=name == "plain_asgi")
    seen = browser.open("/members")
    assert seen.text.endswith("Members of t-acme")
    assert 'id="sallyport-banner"' in seen.text
    assert browser.open("/MEMBERS").get("X-Impersonation-Refused") == "undeclared_endpoint"
    if name == "plain_wsgi":
        assert browser.post("/members").get("X-Impersonation-Refused") == "read_mode"
    module.kit.close()


def test_it_says_every_word_every_setting_and_every_operation() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", PAGE, re.MULTILINE))
    assert {word: str(status) for word, (status, _title, _remedy) in REFUSALS.items()} == {
        word: status for word, status in rows.items() if word in REFUSALS
    }
    for name in KitSettings.__dataclass_fields__:
        assert f"`{name}`" in PAGE
    for operation in NEVER_ALLOWED:
        assert f"`{operation}`" in PAGE
