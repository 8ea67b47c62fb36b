"""One impersonated request from its endpoint to its answer: allowed or not, marked, and reported."""

import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from sallyport_kit.acting import Acting
from sallyport_kit.banner import banner
from sallyport_kit.effects import Effect, Found
from sallyport_kit.errors import ConsoleSilentError
from sallyport_kit.injecting import Injector
from sallyport_kit.pages import Refusal, refused
from sallyport_kit.reports import Reporter
from sallyport_kit.standings import Standings
from sallyport_kit.tokens import LONGEST_LIFE_S, Claims
from sallyport_kit.web import Answer, Asked, Cookies, Headers

_LOG = logging.getLogger(__name__)
UNDECLARED = "/(undeclared)"
_LOOK_AGAIN_S = 1.0
_METHOD = re.compile(r"[A-Z]{1,16}")
_RAW, _ID, _UNPRINTABLE = re.compile(r"[@?#%]"), re.compile(r"[0-9a-fA-F-]{16,}"), re.compile(r"[^\x21-\x7e]")
_LONGEST_PATTERN = 200
# Of the product's answer: nothing may be kept anywhere, and validators belong to an answer without a banner.
_DROPPED = frozenset({
    "cache-control", "expires", "pragma", "etag", "last-modified", "age", "surrogate-control", "cdn-cache-control",
    "x-accel-expires", "edge-control", "cloudflare-cdn-cache-control", "vercel-cdn-cache-control",
    "x-acting-staff", "x-impersonation-expires",
})  # fmt: skip
_NO_BODY = frozenset({204, 205, 206, 304})


@lru_cache(maxsize=1_024)
def reported_pattern(pattern: str) -> str:
    """Return a route's pattern as the console takes it: printable, short, and with nothing that a path would hold."""
    parts = ("(number)" if part.isdigit() else _RAW.sub("_", part) for part in pattern.split("/"))
    return _UNPRINTABLE.sub("_", "/".join("(id)" if _ID.fullmatch(part) else part for part in parts))[:_LONGEST_PATTERN]


@lru_cache(maxsize=256)
def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Kit(Protocol):
    """What a visit needs of the kit."""

    @property
    def standings(self) -> Standings: ...
    @property
    def reporter(self) -> Reporter: ...
    @property
    def cookies(self) -> Cookies: ...

    def label(self, who: Acting, /) -> str: ...
    def clock(self) -> float: ...
    def monotonic(self) -> float: ...


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request of a staff member who acts for somebody. It holds a place for one report until it has made it."""

    kit: _Kit
    asked: Asked
    who: Acting
    root: str
    token: str
    claims: Claims
    is_renewed: bool
    is_decided: bool = False
    refusal: Refusal | None = None
    _found: Found | None = None
    _is_reported: bool = False
    _looked_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        self._looked_at = self.kit.monotonic()

    def permit(self, found: Found | None) -> Refusal | None:
        """Decide by what the endpoint declares; None lets it run. Silence is a refusal."""
        self.is_decided, self._found = True, found
        declaration = found.declaration if found is not None else None
        code = ""
        if declaration is None:
            code = "undeclared_endpoint"
        elif declaration.effect is Effect.NEVER:
            code = "never_allowed"
        elif declaration.effect is Effect.WRITE and not self.who.may_write:
            code = "read_mode"
        self.refusal = Refusal(code=code, console=self.who.leave) if code else None
        return self.refusal

    def refuse(self, code: str = "") -> Answer:
        """Return the answer that says no: by the decision, or for a reason of the caller's."""
        if code:
            self.refusal = Refusal(code=code, console=self.who.leave)
        elif self.refusal is None:
            self.permit(None)
        if self.refusal is None:
            message = "There is nothing to refuse."
            raise ValueError(message)
        return refused(self.asked, self.refusal, root=self.root)

    def marked(self, status: int, headers: Headers) -> tuple[Headers, Injector | None]:
        """Return the headers that an impersonated answer has, and what puts the banner into its body where it can."""
        named = {name.lower(): value for name, value in headers}
        kept = [(name, value) for name, value in headers if name.lower() not in _DROPPED]
        injector = self._injector(named) if self._can_take_banner(status, named) else None
        if injector is not None:
            kept = [(name, value) for name, value in kept if name.lower() != "content-length"]
        kept += [
            ("Cache-Control", "no-store"),
            ("X-Acting-Staff", self.who.staff.encode("ascii", "replace").decode()),
            ("X-Impersonation-Expires", _moment(self.who.not_after)),
        ]
        if self.is_renewed:
            kept.append(self.kit.cookies.written(self.kit.cookies.acting, self.token, seconds=2 * LONGEST_LIFE_S))
        return kept, injector

    def report(self, status: int) -> None:
        """Tell the console about this request, once."""
        if self._is_reported:
            return
        self._is_reported = True
        found = self._found
        declaration = found.declaration if found is not None else None
        self.kit.reporter.put(
            self.who.sid,
            method=self.asked.method if _METHOD.fullmatch(self.asked.method) else "OTHER",
            pattern=UNDECLARED if found is None else reported_pattern(found.pattern),
            # What nobody declared could be anything; the worst is what the reader should think of.
            effect=Effect.WRITE if declaration is None else declaration.effect,
            status=status,
            code="" if self.refusal is None else self.refusal.code,
        )

    def is_over(self) -> bool:
        """Return whether the impersonation ended while an answer is still under way; asked once a second at most."""
        now = self.kit.monotonic()
        if now - self._looked_at < _LOOK_AGAIN_S:
            return False
        self._looked_at = now
        try:
            return not self.kit.standings.of(self.token, self.claims, is_activity=False).is_active
        except ConsoleSilentError:
            return True

    def _can_take_banner(self, status: int, named: dict[str, str]) -> bool:
        kind = named.get("content-type", "").lower()
        if not kind.startswith("text/html") or "utf-16" in kind or "utf-32" in kind:
            return False
        if self.asked.method == "HEAD" or status in _NO_BODY or status < 200:
            return False
        if named.get("content-encoding", "identity").lower() != "identity":
            return False
        return not named.get("content-disposition", "").lower().startswith("attachment")

    def _label(self) -> str:
        """Return the product's words for the member; where it has none, the ids: the banner stands in any case."""
        try:
            return self.kit.label(self.who)
        except Exception:  # noqa: BLE001  whatever it is, it is the product's
            _LOG.exception("The product could not say whom a staff member acts as.")
            return f"{self.who.subject} of {self.who.tenant}"

    def _injector(self, named: dict[str, str]) -> Injector:
        policy = named.get("content-security-policy", "")
        label, now = self._label(), self.kit.clock()

        def whole() -> bytes:
            return banner(self.who, label=label, now=now, policy=policy, root=self.root)

        def piece() -> bytes:
            return banner(self.who, label=label, now=now, root=self.root, oob=True)

        return Injector(banner=whole, at_end=piece if self.asked.is_htmx else whole)
