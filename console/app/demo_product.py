"""The demo's product beside the console: its seed out of the demo world, its secrets, and its process."""

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console.adapters.demo.generator import DemoWorld, demo_world
from console.app.building import ROOT
from console.domain.imports import InvoiceRecord, MemberRecord, member_id_of
from console.settings import Settings

_TENANTS = 8  # the first ones: Acme, and the traps of the generator
_PRIVATE = 0o600


@contextmanager
def product_beside(settings: Settings, *, tenants: int) -> Iterator[str | None]:
    """Serve the demo's product while the console is served; give its address, or None where its port is taken.

    It waits for the console's first answer before it loads itself, so that nobody waits longer for the console.
    """
    product = settings.product
    if product is None or not (ROOT / "examples" / "product").is_dir() or not _is_free(product.address):
        yield None
        return
    folder = prepared(settings.var / "product", demo_world(tenants, now=datetime.now(UTC)))
    port = str(urlsplit(product.address).port)
    listens = (sys.executable, "-m", "examples.product", "--port", port, "--data", str(folder), "--with-parent")
    with (folder / "log.txt").open("a", encoding="utf-8") as said:
        process = subprocess.Popen(listens, cwd=ROOT, env=_environ(settings), stdout=said, stderr=said)  # noqa: S603  ours
        try:
            yield product.address
        finally:
            process.terminate()
            process.wait(timeout=10)


def prepared(folder: Path, world: DemoWorld) -> Path:
    """Write seed and secrets of the product where they are missing; the secrets are private."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "seed.json").exists():
        _write(folder / "seed.json", product_seed(world))
    if not (folder / "secrets.json").exists():
        _write(
            folder / "secrets.json", {"password": secrets.token_urlsafe(9), "session_key": secrets.token_urlsafe(48)}
        )
    return folder


def product_seed(world: DemoWorld) -> Mapping[str, Any]:
    """Return the first tenants as the product knows them: its ids are those by which the console knows them."""
    tenants = {each.external_id: each for each in islice(world.tenants(), _TENANTS)}
    members = _first(world.members(), tenants)
    invoices = _first(world.invoices(), tenants)
    return {
        "tenants": [
            {
                "id": key,
                "slug": each.slug,
                "name": each.name,
                "plan": each.plan,
                "members": [_member(record) for record in members.get(key, ())],
                "invoices": [_invoice(record) for record in invoices.get(key, ())],
            }
            for key, each in tenants.items()
        ]
    }


def _first(records: Iterator[Any], tenants: Mapping[str, object]) -> dict[str, list[Any]]:
    """Return the records of the first tenants; a tenant's stand together, and nothing behind them is read."""
    found: dict[str, list[Any]] = {}
    for tenant, rows in groupby(records, key=lambda record: str(record.tenant)):
        if tenant not in tenants:
            break
        found[tenant] = list(rows)
    return found


def _member(record: MemberRecord) -> Mapping[str, Any]:
    return {
        "id": member_id_of(record.tenant, record.external_id),
        "name": record.name,
        "email": record.email,
        "role": record.role,
        "is_active": record.is_active,
    }


def _invoice(record: InvoiceRecord) -> Mapping[str, Any]:
    return {
        "number": record.number,
        "state": record.status,
        "amount_minor": record.amount_minor,
        "currency": record.currency,
        "issued_on": record.issued_at.date().isoformat(),
    }


def _environ(settings: Settings) -> dict[str, str]:
    """Return what the product's process is told: the console as its kit knows it, and nothing of ours besides."""
    product = settings.product
    others = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
    if product is None:
        return others
    path = os.pathsep.join([str(ROOT), str(ROOT / "kits" / "python")])
    return {
        **others,
        "PYTHONPATH": path,
        "SALLYPORT_KIT_CONSOLE": product.console,
        "SALLYPORT_KIT_PRODUCT": product.address,
        "SALLYPORT_KIT_CLIENT_ID": product.client_id,
        "SALLYPORT_KIT_SPOOL": str(settings.var / "product" / "spool"),
        "SALLYPORT_KIT_CLIENT_SECRET": product.client_secret.get_secret_value(),
    }


def _is_free(address: str) -> bool:
    parts = urlsplit(address)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((parts.hostname, parts.port))
        except OSError:
            return False
    return True


def _write(file: Path, content: Mapping[str, Any]) -> None:
    draft = file.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(content, target, ensure_ascii=False, indent=1)
    draft.replace(file)
