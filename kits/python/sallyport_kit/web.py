"""A request as the kit reads it, and an answer as the kit writes it: the same for WSGI and ASGI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from sallyport_kit.settings import KitSettings

Headers = list[tuple[str, str]]
UNREADABLE = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. Shape: `path` is decoded and below the mount point; names of headers are in small letters."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def cookie(self, name: str) -> str:
        """Return a cookie; empty when there is none."""
        return cookie_in(self.headers.get("cookie", ""), name)

    def parameter(self, name: str) -> str:
        """Return a parameter of the query that is given exactly once; empty otherwise."""
        try:
            found = parse_qs(self.query, max_num_fields=20).get(name, []) if len(self.query) < 4_096 else []
        except ValueError:  # more than anybody of ours sends
            found = []
        return found[0] if len(found) == 1 else ""

    @property
    def is_htmx(self) -> bool:
        """Return whether htmx will put the answer into a part of a page that stays."""
        is_whole = "hx-boosted" in self.headers or "hx-history-restore-request" in self.headers
        return self.headers.get("hx-request") == "true" and not is_whole

    @property
    def wants_html(self) -> bool:
        """Return whether a person will read the answer in a page."""
        return self.is_htmx or "text/html" in self.headers.get("accept", "")

    def is_of(self, origin: str) -> bool:
        """Return whether a page of ours sent this; browsers that say neither header are believed."""
        site = self.headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        return self.headers.get("origin", "null") in {"null", origin}

    @property
    def is_by_person(self) -> bool:
        """Return whether somebody did this, instead of a page by itself.

        A browser says so of what follows a click or a key (Sec-Fetch-User); requests of scripts never count, because
        nothing tells a poll from a press. The banner's own script reports presses, at `/sallyport/active`.
        """
        if "sec-purpose" in self.headers or "purpose" in self.headers:
            return False
        if "sec-fetch-mode" in self.headers:
            return self.headers["sec-fetch-mode"] == "navigate" and self.headers.get("sec-fetch-user") == "?1"
        by_script = "hx-request" in self.headers or "x-requested-with" in self.headers
        return not by_script and "text/html" in self.headers.get("accept", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the kit's own."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def cookie_in(header: str, name: str) -> str:
    """Return a cookie of a Cookie header; empty when there is none.

    Shape: what stands behind a comma is part of another cookie's value, which a sibling host may have written, or of
    several headers that a server joined; nobody can tell, so it comes back as UNREADABLE, which is nobody's token.
    """
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    held = next((value for found, _, value in pairs if found == name and value), "")
    return held or (UNREADABLE if f",{name}=" in header.replace(" ", "") else "")


@dataclass(frozen=True, slots=True)
class Cookies:
    """The kit's two cookies; over https their names bind them to the product's own host."""

    is_https: bool

    @classmethod
    def of(cls, settings: KitSettings) -> "Cookies":
        """Return the cookies of a product."""
        return cls(settings.is_https)

    @property
    def acting(self) -> str:
        """Return the name of the cookie that holds the token."""
        return "__Host-sallyport-acting" if self.is_https else "sallyport-acting"

    @property
    def entry(self) -> str:
        """Return the name of the cookie of an entry under way."""
        return "__Host-sallyport-entry" if self.is_https else "sallyport-entry"

    def written(self, name: str, value: str, *, seconds: int) -> tuple[str, str]:
        """Return the header that sets a cookie; no seconds remove it."""
        secure = "; Secure" if self.is_https else ""
        return ("Set-Cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
