"""What can be wrong with settings, said in one line each that names the key and the remedy, and never a secret."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

FEWEST_DISTINCT = 10
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_PLAIN_SECRET = re.compile(r"[A-Za-z0-9._~-]+")
_VERIFIED = {"verify-full", "verify-ca"}


class SettingsFaultsError(Exception):
    """The settings cannot be used; `faults` holds one line each."""

    code = "settings_faults"

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the lines."""
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Readable(Protocol):
    """The settings as the rules see them."""

    environment: Any
    debug: Any
    local_passwords: Any
    server: Any
    database: Any
    secrets: Any
    oidc: Any
    tickets: Any
    billing: Any
    webhooks: Any
    product: Any
    jobs: Any


def fault_lines(wrong: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line per fault that pydantic found; values are left out, they may be secrets."""
    lines: dict[str, None] = {}
    for error in wrong.errors(include_url=False, include_input=False):
        where = [str(part) for part in error["loc"] if part != "[key]"]
        section = _section(model, where) if error["type"] == "missing" else None
        for place in [[*where, name] for name in _required(section)] if section else [where]:
            lines[f"{named(place)}: {_said(error['type'], error['msg'], where=place, model=model)}"] = None
    return list(lines)


def named(where: Sequence[str]) -> str:
    """Return a key as it is written in the file and in the environment."""
    return f"{'.'.join(where)} (SALLYPORT_{'__'.join(where).upper()})"


def rule_faults(settings: Readable) -> list[str]:
    """Return one line per rule that well-typed settings break."""
    return [f"{named(key.split('.'))}: {remedy}" for rule in _RULES for key, remedy in rule(settings)]


def is_loopback(host: str) -> bool:
    """Return whether a name or address can only be this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _said(kind: str, message: str, *, where: Sequence[str], model: type[BaseModel]) -> str:
    """Return what is wrong and how to mend it."""
    if kind == "missing":
        return "is missing; set it in the settings file or in the environment."
    if kind == "extra_forbidden":
        close = get_close_matches(where[-1], _known(model, where[:-1]), n=1)
        return f"is not a setting; did you mean {close[0]}?" if close else "is not a setting; remove it."
    if kind == "too_short":
        return "is too short; use at least 32 characters, for example from 'openssl rand -hex 32'."
    said = message.removeprefix("Input ").removeprefix("Value ")
    return f"{said[:1].lower()}{said[1:]}."


def _known(model: type[BaseModel], sections: Sequence[str]) -> list[str]:
    """Return the keys that stand beside a wrong one."""
    section = _section(model, sections)
    return list(section.model_fields) if section else []


def _section(model: type[BaseModel], where: Sequence[str]) -> type[BaseModel] | None:
    """Return the section that a key leads to, or None when the key is a value or unknown."""
    found: type[BaseModel] | None = model
    for name in where:
        field = found.model_fields.get(name) if found else None
        annotation: object = field.annotation if field else None
        arms: tuple[object, ...] = getattr(annotation, "__args__", (annotation,))
        found = next((arm for arm in arms if isinstance(arm, type) and issubclass(arm, BaseModel)), None)
    return found


def _required(section: type[BaseModel]) -> list[str]:
    return [name for name, field in section.model_fields.items() if field.is_required()]


def _start_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.debug and settings.environment != "development":
        yield "debug", "is only for environment = development; set it to false."
    if settings.environment == "demo" and not is_loopback(settings.server.host):
        yield "server.host", "the demo has public passwords and stays on this machine; set it to 127.0.0.1."
    if any("*" in host for host in settings.server.trusted_hosts) or not settings.server.trusted_hosts:
        yield "server.trusted_hosts", "must name each host that the console answers to; a star is no name."
    if settings.environment == "production":
        for section in ("tickets", "billing"):
            if getattr(settings, section).adapter == "demo":
                yield f"{section}.adapter", "the demo adapter answers with invented facts; set it to none."


def _sign_in_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    oidc = settings.oidc
    if settings.environment == "production" and settings.local_passwords == "on":
        yield (
            "local_passwords",
            "in production staff sign in with the identity provider; set it to off, or to emergency while it is down.",
        )
    if oidc is None:
        if settings.local_passwords == "off":
            yield "oidc.issuer", "nobody could sign in; name the identity provider, or allow local_passwords."
        return
    address = urlsplit(oidc.issuer)
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
        yield "oidc.issuer", "must be an https address; http is only for a provider on this machine."
    if address.query or address.fragment or "|" in oidc.issuer:
        yield "oidc.issuer", "must be the plain address, without a query, a fragment or a bar."
    if "openid" not in oidc.scopes:
        yield "oidc.scopes", "must contain openid."
    weak = [name for name in oidc.algorithms if name == "none" or name.startswith("HS")]
    if weak or not oidc.algorithms:
        yield "oidc.algorithms", "must name public-key signatures only, for example RS256 or ES256."


def _secret_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name in ("session_key", "fingerprint_key", "sealing_key"):
        value = getattr(settings.secrets, name).get_secret_value()
        if len(set(value)) < FEWEST_DISTINCT:
            yield f"secrets.{name}", "can be guessed; use a random text, for example from 'openssl rand -hex 32'."
        elif value in seen:
            yield f"secrets.{name}", f"is the same as secrets.{seen[value]}; give each its own."
        seen.setdefault(value, name)


def _database_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    database = settings.database
    urls: dict[str, SecretStr | None] = {
        f"database.{name}": getattr(database, name)
        for name in ("url", "owner_url", "fleet_url", "sequencer_url", "import_url")
    }
    urls |= {f"database.planes.{name}": url for name, url in database.planes.items()}
    for key, url in urls.items():
        if url is None:
            continue
        address = urlsplit(url.get_secret_value())
        if address.scheme not in _DATABASES:
            yield key, "must begin with sqlite:///, postgresql:// or postgresql+psycopg://."
        elif settings.environment == "production" and _travels_plain(url.get_secret_value()):
            yield key, "would cross the network unverified; add ?sslmode=verify-full."
    if "shared" in database.planes:
        yield "database.planes.shared", "is the control store's own database; remove it."


def _outward_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    webhooks = settings.webhooks
    for text in webhooks.allowed_networks:
        try:
            is_near = ip_network(text).is_loopback
        except ValueError:
            yield "webhooks.allowed_networks", "must be networks like 127.0.0.0/8, without host bits."
            continue
        if settings.environment == "demo" and not is_near:
            yield "webhooks.allowed_networks", "the demo sends to this machine only; name 127.0.0.0/8."
    if webhooks.allowed_networks and settings.environment == "production":
        yield "webhooks.allowed_networks", "would let customers' addresses reach inner networks; remove it."
    if not webhooks.ports:
        yield "webhooks.ports", "must name at least one port."
    url = settings.database.url
    if settings.jobs.engine == "procrastinate" and not (url and url.get_secret_value().startswith("postgresql")):
        yield "jobs.engine", "procrastinate lives in PostgreSQL; set database.url to one, or the engine to own."


def _billing_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    billing = settings.billing
    if billing.adapter != "stripe":
        if billing.api_key is not None:
            yield "billing.api_key", "is used with adapter = stripe only; remove it, or set the adapter."
        return
    if billing.api_key is None:
        yield "billing.api_key", "is missing; make a restricted key as docs/billing-provider.md says."
    else:
        kind, _, rest = billing.api_key.get_secret_value().partition("_")
        if kind not in {"rk", "sk"}:
            yield "billing.api_key", "must be a secret key of Stripe, best a restricted one: rk_live_… or rk_test_…"
        elif not rest.startswith(f"{billing.mode}_"):
            yield "billing.mode", "is not the mode of billing.api_key; the two must agree."
    if billing.mode == "test" and settings.environment == "production":
        yield "billing.mode", "would take invented money for real; set it to live."
    address = urlsplit(billing.address)
    is_near = address.scheme == "http" and is_loopback(address.hostname or "") and settings.environment != "production"
    if (address.scheme != "https" and not is_near) or not address.hostname or address.path.strip("/"):
        yield "billing.address", "must be a plain https address; http is only for a provider on this machine."


def _product_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    product = settings.product
    if product is None:
        return
    for name in ("address", "console"):
        address = urlsplit(getattr(product, name))
        is_near = address.scheme == "http" and is_loopback(address.hostname or "")
        is_safe = address.scheme == "https" or (is_near and settings.environment != "production")
        if not is_safe or not address.hostname or address.path.strip("/") or address.query or address.username:
            yield f"product.{name}", "must be a plain https origin; http is only for one on this machine."
    if not _PLAIN_SECRET.fullmatch(product.client_secret.get_secret_value()):
        yield "product.client_secret", "may hold letters, digits and ._~- only, so that every client sends it alike."
    elif len(set(product.client_secret.get_secret_value())) < FEWEST_DISTINCT:
        yield "product.client_secret", "can be guessed; use a random text, for example from 'openssl rand -hex 32'."


_RULES = (
    _start_faults, _sign_in_faults, _secret_faults, _database_faults, _outward_faults, _billing_faults, _product_faults,
)  # fmt: skip


def _travels_plain(url: str) -> bool:
    address = urlsplit(url)
    given = parse_qs(address.query)
    hosts = [address.hostname or "", *given.get("host", []), *given.get("hostaddr", [])]
    if address.scheme == "sqlite" or all(not host or host.startswith("/") or is_loopback(host) for host in hosts):
        return False
    modes = set(given.get("sslmode", []))
    return not modes or not modes <= _VERIFIED
