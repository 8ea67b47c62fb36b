"""What well-typed settings must not be together: each rule yields a key and the remedy, and never a secret."""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from console.settings.faults import named

FEWEST_DISTINCT = 10
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_PLAIN_SECRET = re.compile(r"[A-Za-z0-9._~-]+")
_SIGNING_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,86}={0,2}")
_VERIFIED = {"verify-full", "verify-ca"}


class UnreadError(Exception):
    """A rule reads a key that has a fault already, so that nothing can be said of it."""


class Readable(Protocol):
    """The settings as the rules see them; where a key could not be read, reading it raises UnreadError."""

    environment: Any
    debug: Any
    local_passwords: Any
    server: Any
    database: Any
    secrets: Any
    oidc: Any
    tickets: Any
    billing: Any
    notices: Any
    letters: Any
    webhooks: Any
    product: Any
    jobs: Any


Rule: TypeAlias = Callable[[Readable], Iterator[tuple[str, str]]]


def rule_faults(settings: Readable) -> list[str]:
    """Return one line per rule that the settings break, as far as they could be read."""
    return [f"{named(key.split('.'))}: {remedy}" for rule in _RULES for key, remedy in _told(rule, settings)]


def is_loopback(host: str) -> bool:
    """Return whether a name or address can only be this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _told(rule: Rule, settings: Readable) -> Iterator[tuple[str, str]]:
    """Yield what a rule finds until it reads something that has a fault of its own."""
    try:
        yield from rule(settings)
    except UnreadError:
        return


def _read(section: Any, name: str) -> Any:  # noqa: ANN401  settings have many types
    """Return a value, or None where it could not be read and the rule has more to look at."""
    try:
        return getattr(section, name)
    except UnreadError:
        return None


def _is_production(settings: Readable) -> bool:
    return bool(_read(settings, "environment") == "production")


def _debug_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.debug and settings.environment != "development":
        yield "debug", "is only for environment = development; set it to false."


def _host_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    hosts = _read(settings.server, "trusted_hosts")
    if hosts is not None and (not hosts or any("*" in host for host in hosts)):
        yield "server.trusted_hosts", "must name each host that the console answers to; a star is no name."
    if settings.environment == "demo" and not is_loopback(settings.server.host):
        yield "server.host", "the demo has public passwords and stays on this machine; set it to 127.0.0.1."


def _invention_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    for section in ("tickets", "billing"):
        if _is_production(settings) and _read(_read(settings, section), "adapter") == "demo":
            yield f"{section}.adapter", "the demo adapter answers with invented facts; set it to none."


def _password_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.environment == "production" and settings.local_passwords == "on":
        yield (
            "local_passwords",
            "in production staff sign in with the identity provider; set it to off, or to emergency while it is down.",
        )


def _sign_in_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.oidc is None and settings.local_passwords == "off":
        yield "oidc.issuer", "nobody could sign in; name the identity provider, or allow local_passwords."


def _issuer_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.oidc is None:
        return
    issuer = settings.oidc.issuer
    address = urlsplit(issuer)
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
        yield "oidc.issuer", "must be an https address; http is only for a provider on this machine."
    if address.query or address.fragment or "|" in issuer:
        yield "oidc.issuer", "must be the plain address, without a query, a fragment or a bar."


def _token_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.oidc is None:
        return
    scopes, algorithms = _read(settings.oidc, "scopes"), _read(settings.oidc, "algorithms")
    if scopes is not None and "openid" not in scopes:
        yield "oidc.scopes", "must contain openid."
    if algorithms is not None and (not algorithms or any(name == "none" or name[:2] == "HS" for name in algorithms)):
        yield "oidc.algorithms", "must name public-key signatures only, for example RS256 or ES256."


def _secret_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name in ("session_key", "fingerprint_key", "sealing_key"):
        secret = _read(settings.secrets, name)
        if secret is None:
            continue
        value = secret.get_secret_value()
        if len(set(value)) < FEWEST_DISTINCT:
            yield f"secrets.{name}", "can be guessed; use a random text, for example from 'openssl rand -hex 32'."
        elif value in seen:
            yield f"secrets.{name}", f"is the same as secrets.{seen[value]}; give each its own."
        seen.setdefault(value, name)


def _database_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    database = settings.database
    urls: dict[str, SecretStr | None] = {
        f"database.{name}": _read(database, name)
        for name in ("url", "owner_url", "fleet_url", "sequencer_url", "import_url")
    }
    planes = _read(database, "planes") or {}
    urls |= {f"database.planes.{name}": url for name, url in planes.items()}
    for key, url in urls.items():
        if url is None:
            continue
        address = urlsplit(url.get_secret_value())
        if address.scheme not in _DATABASES:
            yield key, "must begin with sqlite:///, postgresql:// or postgresql+psycopg://."
        elif _is_production(settings) and _travels_plain(url.get_secret_value()):
            yield key, "would cross the network unverified; add ?sslmode=verify-full."
    if "shared" in planes:
        yield "database.planes.shared", "is the control store's own database; remove it."


def _notice_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    notices = settings.notices
    if sum((notices.folder is not None, notices.mail, notices.webhook_url is not None)) > 1:
        yield "notices", "leave by one way only, so that nobody is told twice: keep folder, mail or webhook_url."
    if notices.mail and settings.letters.smtp_host is None and settings.letters.folder is None:
        yield "notices.mail", "needs a mail server; set letters.smtp_host."


def _posted_notice_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    notices = settings.notices
    if notices.webhook_url is None:
        if notices.webhook_secret is not None:
            yield "notices.webhook_secret", "signs nothing without notices.webhook_url; set that, or remove this."
        return
    address = urlsplit(notices.webhook_url)
    if not address.hostname or (address.scheme != "https" and (address.scheme != "http" or _wants_https(settings))):
        yield "notices.webhook_url", "must be an https address that webhooks.* permits to call."
    if notices.webhook_secret is None:
        yield "notices.webhook_secret", "is missing; use whsec_ and the output of 'openssl rand -base64 32'."
    elif not _SIGNING_SECRET.fullmatch(notices.webhook_secret.get_secret_value()):
        yield "notices.webhook_secret", "must be whsec_ and the output of 'openssl rand -base64 32'."


def _wants_https(settings: Readable) -> bool:
    return bool(_read(settings.webhooks, "https_only") is not False)


def _network_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    networks = settings.webhooks.allowed_networks
    for text in networks:
        try:
            is_near = ip_network(text).is_loopback
        except ValueError:
            yield "webhooks.allowed_networks", "must be networks like 127.0.0.0/8, without host bits."
            continue
        if _read(settings, "environment") == "demo" and not is_near:
            yield "webhooks.allowed_networks", "the demo sends to this machine only; name 127.0.0.0/8."
    if networks and _is_production(settings):
        yield "webhooks.allowed_networks", "would let customers' addresses reach inner networks; remove it."


def _port_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if not settings.webhooks.ports:
        yield "webhooks.ports", "must name at least one port."


def _job_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    url = settings.database.url
    if settings.jobs.engine == "procrastinate" and not (url and url.get_secret_value().startswith("postgresql")):
        yield "jobs.engine", "procrastinate lives in PostgreSQL; set database.url to one, or the engine to own."


def _billing_key_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    billing = settings.billing
    if billing.adapter != "stripe":
        if billing.api_key is not None:
            yield "billing.api_key", "is used with adapter = stripe only; remove it, or set the adapter."
    elif billing.api_key is None:
        yield "billing.api_key", "is missing; make a restricted key as docs/billing-provider.md says."
    else:
        kind, _, rest = billing.api_key.get_secret_value().partition("_")
        if kind not in {"rk", "sk"}:
            yield "billing.api_key", "must be a secret key of Stripe, best a restricted one: rk_live_… or rk_test_…"
        elif not rest.startswith(f"{billing.mode}_"):
            yield "billing.mode", "is not the mode of billing.api_key; the two must agree."


def _billing_mode_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    billing = settings.billing
    if billing.adapter == "stripe" and billing.mode == "test" and settings.environment == "production":
        yield "billing.mode", "would take invented money for real; set it to live."


def _billing_address_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.billing.adapter != "stripe":
        return
    address = urlsplit(settings.billing.address)
    is_near = address.scheme == "http" and is_loopback(address.hostname or "") and not _is_production(settings)
    if (address.scheme != "https" and not is_near) or not address.hostname or address.path.strip("/"):
        yield "billing.address", "must be a plain https address; http is only for a provider on this machine."


def _product_faults(settings: Readable) -> Iterator[tuple[str, str]]:
    if settings.product is None:
        return
    for name in ("address", "console"):
        given = _read(settings.product, name)
        if given is None:
            continue
        address = urlsplit(given)
        is_near = address.scheme == "http" and is_loopback(address.hostname or "")
        is_safe = address.scheme == "https" or (is_near and not _is_production(settings))
        if not is_safe or not address.hostname or address.path.strip("/") or address.query or address.username:
            yield f"product.{name}", "must be a plain https origin; http is only for one on this machine."
    secret = settings.product.client_secret.get_secret_value()
    if not _PLAIN_SECRET.fullmatch(secret):
        yield "product.client_secret", "may hold letters, digits and ._~- only, so that every client sends it alike."
    elif len(set(secret)) < FEWEST_DISTINCT:
        yield "product.client_secret", "can be guessed; use a random text, for example from 'openssl rand -hex 32'."


# Each looks at one thing, because it ends where it reads a key that has a fault of its own.
_RULES: tuple[Rule, ...] = (
    _debug_faults, _host_faults, _invention_faults, _password_faults, _sign_in_faults, _issuer_faults, _token_faults,
    _secret_faults, _database_faults, _notice_faults, _posted_notice_faults, _network_faults, _port_faults, _job_faults,
    _billing_key_faults, _billing_mode_faults, _billing_address_faults, _product_faults,
)  # fmt: skip


def _travels_plain(url: str) -> bool:
    address = urlsplit(url)
    given = parse_qs(address.query)
    hosts = [address.hostname or "", *given.get("host", []), *given.get("hostaddr", [])]
    if address.scheme == "sqlite" or all(not host or host.startswith("/") or is_loopback(host) for host in hosts):
        return False
    modes = set(given.get("sslmode", []))
    return not modes or not modes <= _VERIFIED
