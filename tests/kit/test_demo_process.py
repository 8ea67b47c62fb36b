"""The demo's product as a process beside the console: seeded from its world, waiting for it, gone with it."""

import http.client
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.adapters.demo.generator import demo_world
from console.adapters.demo.staff import demo_environ, product_address
from console.app.demo_product import prepared, product_beside, product_seed
from console.domain.imports import member_id_of
from console.settings import load_settings
from tests.architecture.tree import ROOT
from tests.kit.fake_console import FakeConsole, served
from tests.processes import free_port

_PATIENCE_S = 60.0


def answer(port: int, path: str) -> int:
    """Return the status of an answer; 0 while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def waited(port: int, wanted: int) -> None:
    until = time.monotonic() + _PATIENCE_S
    while answer(port, "/sign-in") != wanted:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_it_answers_on_the_next_port_of_this_machine() -> None:
    assert product_address(8000) == "http://127.0.0.1:8001"
    assert product_address(65_535) == "http://127.0.0.1:65534"


def test_it_is_seeded_with_the_first_tenants_by_the_ids_of_the_console(tmp_path: Path) -> None:
    world = demo_world(24, now=datetime(2026, 11, 29, tzinfo=UTC))
    seed = product_seed(world)
    acme = seed["tenants"][0]
    assert (acme["slug"], len(seed["tenants"]), len(acme["members"])) == ("acme-robotics", 8, 20)
    assert acme["members"][0]["id"] == member_id_of(acme["id"], f"{acme['id']}-1")
    assert acme["invoices"]
    folder = prepared(tmp_path / "product", world)
    kept = (folder / "secrets.json").read_bytes()
    assert prepared(folder, world) == folder
    assert (folder / "secrets.json").read_bytes() == kept
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.slow
def test_it_runs_beside_the_console_and_ends_with_it(tmp_path: Path) -> None:
    with served(FakeConsole()) as console:
        port, other = free_port(), int(console.address.rpartition(":")[2])
        own = {"PRODUCT__CONSOLE": console.address, "PRODUCT__ADDRESS": f"http://127.0.0.1:{port}"}
        environ = demo_environ(tmp_path, port=other) | {f"SALLYPORT_{name}": value for name, value in own.items()}
        settings = load_settings(environ)
        with product_beside(settings, tenants=24) as address:
            assert address == f"http://127.0.0.1:{port}"
            waited(port, 200)
            with product_beside(settings, tenants=24) as again:
                assert again is None, "its port is taken"
            assert answer(port, "/sallyport/enter?sid=imp_1") == 303
            assert (settings.var / "product" / "spool").stat().st_mode & 0o777 == 0o700
        waited(port, 0)


@pytest.mark.slow
def test_it_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    port = free_port()
    folder = prepared(tmp_path / "product", demo_world(24, now=datetime(2026, 11, 29, tzinfo=UTC)))
    own = {
        "CONSOLE": "http://127.0.0.1:9",
        "PRODUCT": f"http://127.0.0.1:{port}",
        "CLIENT_ID": "p",
        "CLIENT_SECRET": "s",
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
    environ |= {f"SALLYPORT_KIT_{name}": value for name, value in own.items()}
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "kits" / "python")])
    command = [sys.executable, "-m", "examples.product", "--port", str(port), "--data", str(folder), "--no-wait",
               "--with-parent"]  # fmt: skip
    script = f"import subprocess; subprocess.Popen({command!r}).wait()"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environ) as starter:
        waited(port, 200)
        starter.kill()
    waited(port, 0)
