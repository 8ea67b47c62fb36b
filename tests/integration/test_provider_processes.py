"""The adapter against providers that run as processes of their own: our invented one, and localstripe where it is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from console.adapters.outbound_addresses import networks
from console.adapters.outbound_calls import CallFailedError, GuardedCalls
from console.adapters.outbound_pinning import OutboundRules
from console.adapters.stripe.calls import Calls
from console.adapters.stripe.connecting import over_network
from console.adapters.stripe.lists import VERSION
from console.adapters.stripe.provider import StripeProvider
from console.domain.billing.objects import Customer, ObjectKind
from tests.architecture.tree import ROOT
from tests.integration.provider_worlds import API_KEY, Noon

# Binds loopback and writes nothing: by itself it would listen everywhere and keep a file in the folder of all.
_LOCALSTRIPE = """
import sys
from aiohttp import web
from localstripe import resources, server
type(resources.store).dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def over(address: str, *, key: str = API_KEY) -> tuple[Calls, GuardedCalls]:
    port = int(address.rpartition(":")[2])
    out = GuardedCalls(OutboundRules(ports=frozenset({port}), https_only=False, allowed=networks(["127.0.0.0/8"])))
    return over_network(out, api_key=key, address=address, version=VERSION), out


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Calls]:
    command = [sys.executable, "-m", "console.adapters.fake_stripe", "0", str(tmp_path / "provider.sqlite3")]
    environ = {**os.environ, "FAKE_STRIPE_KEY": API_KEY}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        calls, out = over(running.stdout.readline().strip())
        yield calls
        out.close()
        running.terminate()


def test_it_serves_as_a_process_on_this_machine(process: Calls) -> None:
    made = process.post("/v1/customers", {"name": "Acme", "metadata": {"tenant_id": "tnt_acme"}}, key="k")
    provider = StripeProvider(process, clock=Noon(), is_live=True)
    found = provider.fetch(ObjectKind.CUSTOMER, made["id"])
    assert found is not None
    assert isinstance(found.thing, Customer)
    assert found.thing.tenant == "tnt_acme"


def test_it_reaches_this_machine_only_where_it_may() -> None:
    shut = GuardedCalls(OutboundRules(ports=frozenset({443})))
    for url in ("https://127.0.0.1/v1/customers", "https://localhost/v1/customers"):
        with pytest.raises(CallFailedError):
            shut.call("GET", url, headers={})
    shut.close()


@pytest.mark.skipif(find_spec("localstripe") is None, reason="localstripe (GPL, another's fake) is not installed")
def test_it_reads_another_fake_too(tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(_LOCALSTRIPE)
    port = "18420"
    with subprocess.Popen([sys.executable, str(script), port]) as running:
        calls, out = over(f"http://127.0.0.1:{port}", key="sk_test_12345")
        try:
            until = time.monotonic() + 10
            while True:
                try:
                    out.call("GET", f"http://127.0.0.1:{port}/", headers={})
                    break
                except CallFailedError:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            made = calls.post("/v1/customers", {"name": "Acme", "email": "a@acme.example"}, key="k")
            provider = StripeProvider(calls, clock=Noon(datetime(2027, 1, 1, tzinfo=UTC)), is_live=False)
            found = provider.fetch(ObjectKind.CUSTOMER, made["id"])
            assert found is not None
            assert isinstance(found.thing, Customer)
            assert (found.thing.name, found.thing.email) == ("Acme", "a@acme.example")
            assert provider.fetch(ObjectKind.CUSTOMER, "cus_none") is None
        finally:
            out.close()
            running.terminate()
