"""What the composition tells the web ring, and where the ring keeps it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from console.usecases.house import House
from console.web.live import Streams

Environment = Literal["development", "demo", "staging", "production"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """A person of the demo whose credentials the sign-in page shows; `code` gives the present one-time code."""

    role: str
    label: str
    name: str
    email: str
    password: str
    code: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """What an installation decides about the edge.

    Shape: `session_key` signs the sign-in cookie and form tokens; `trusted_proxies` counts the proxies in front, and 0
    believes no forwarded header; `identity_label` names the provider's account; `demo_people` show in the demo only;
    `most_streams` is how many pages may follow something at a time, fewer than the server has threads.
    """

    environment: Environment
    session_key: str
    trusted_hosts: tuple[str, ...]
    templates: Path
    static: Path
    trusted_proxies: int = 0
    oidc_enabled: bool = False
    identity_label: str = "company account"
    local_passwords: bool = False
    demo_people: tuple[DemoPerson, ...] = ()
    most_streams: int = 4

    @property
    def shown_people(self) -> tuple[DemoPerson, ...]:
        """Return whom the sign-in page introduces: nobody outside the demo."""
        return self.demo_people if self.environment == "demo" else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What every part of the edge finds under `app.extensions["sallyport"]`."""

    house: House
    options: WebOptions
    streams: Streams
