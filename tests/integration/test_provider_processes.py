"""The adapter against the invented provider where that runs as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
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
