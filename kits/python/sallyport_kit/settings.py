"""What a product has to say about itself and about the console, checked once at the start."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from sallyport_kit.errors import SettingsError

PREFIX = "SALLYPORT_KIT_"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class KitSettings:
    """How product and console know each other.

    Units: everything that ends in `_s` is seconds. `grace_s` is how long the last good answer of the console still
    counts after the cache while the console is silent; 0 refuses at once. `spool` is a folder in which reports wait on
    disk, so that those of a process that is killed are told by the next one; "" keeps them in memory.
    """

    console: str
    client_id: str
    client_secret: str = field(repr=False)
    product: str
    callback: str = "/sallyport/callback"
    landing: str = "/"
    timeout_s: float = 2.0
    cache_s: float = 1.0
    grace_s: float = 0.0
    leeway_s: int = 30
    keys_s: float = 300.0
    most_sessions: int = 1_000
    most_reports: int = 10_000
    report_every_s: float = 1.0
    spool: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot work or would not be safe."""
        for name in ("console", "product"):
            object.__setattr__(self, name, _origin(name, getattr(self, name)))
        if not self.client_id or not self.client_secret:
            raise SettingsError("client_id and client_secret are needed; the console's [product] settings hold both.")
        for name in ("callback", "landing"):
            if not getattr(self, name).startswith("/") or getattr(self, name).startswith("//"):
                raise SettingsError(f"{name} must be a path of the product that begins with one slash.")
        bounds = {"timeout_s": (0.05, 30), "cache_s": (0, 1), "grace_s": (0, 300), "leeway_s": (0, 60)}
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"{name} must lie between {least} and {most} seconds.")
        if self.most_sessions < 1 or self.most_reports < 1:
            raise SettingsError("most_sessions and most_reports must be at least 1.")

    @property
    def is_https(self) -> bool:
        """Return whether browsers reach the product over https, as they must outside one's own machine."""
        return self.product.startswith("https:")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "KitSettings":
        """Return the settings that stand in the environment as SALLYPORT_KIT_CONSOLE and so on.

        Raises: SettingsError when one is missing, unknown or not of its kind.
        """
        given = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
        kinds = {each.name: _kind(each.default) for each in fields(cls)}
        if unknown := sorted(set(given) - set(kinds)):
            raise SettingsError(f"There is no setting {PREFIX}{unknown[0].upper()}.")
        if missing := [name for name in ("console", "client_id", "client_secret", "product") if not given.get(name)]:
            raise SettingsError(f"{PREFIX}{missing[0].upper()} is not set.")
        try:
            values: dict[str, Any] = {name: kinds[name](value) for name, value in given.items()}
        except ValueError as wrong:
            raise SettingsError(f"A setting of the kit is no number: {wrong}") from None
        return cls(**values)


def _kind(default: object) -> type[str] | type[int] | type[float]:
    """Return how a setting is read; those without a default are texts."""
    return type(default) if isinstance(default, int | float) else str


def _origin(name: str, address: str) -> str:
    """Return an address without its last slash: https, or http on this machine only."""
    parts = urlsplit(address.rstrip("/"))
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"{name} must be an origin such as https://app.example.com, without a path.")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return address.rstrip("/")
    raise SettingsError(f"{name} must be https; plain http is for this machine only.")
