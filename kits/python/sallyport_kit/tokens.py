"""Reads one token of an impersonation from its signature to its times; what is not exactly right is refused."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry

from sallyport_kit.bounded import Bounded
from sallyport_kit.errors import TokenRefusedError
from sallyport_kit.keys import KeyBook
from sallyport_kit.settings import KitSettings

ALGORITHMS = frozenset({"EdDSA", "Ed25519"})
LONGEST_LIFE_S = 300
_LONGEST_TOKEN = 4_096
_LONGEST_TEXT = 256
_SCOPES = {"read": False, "read write": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a believed token says. Units: `issued` and `expires` are Unix seconds."""

    sid: str
    jti: str
    subject: str
    tenant: str
    staff: str
    staff_name: str
    may_write: bool
    issued: int
    expires: int

    @property
    def who(self) -> tuple[str, str, str, str]:
        """Return what every token of one impersonation shares."""
        return (self.sid, self.subject, self.tenant, self.staff)


class _Ed25519Only(JWSRegistry):
    """Knows one signature. RFC 9864 renamed it, about which joserfc warns; consoles say either name."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401  joserfc keeps the type to itself
        """Return the algorithm of an allowed name. Raises: UnsupportedAlgorithmError."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


_REGISTRY = _Ed25519Only(algorithms=sorted(ALGORITHMS))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReader:
    """Believes tokens of one console for one product, and remembers those whose signature it has checked."""

    settings: KitSettings
    keys: KeyBook
    clock: Callable[[], float] = time.time
    checked: Bounded[tuple[Claims, int]] = field(default_factory=lambda: Bounded(1_000))

    def read(self, token: str, *, late_s: int = 0) -> Claims:
        """Return the claims of a token.

        Shape: 1 one signature only; 2 a key that the console publishes; 3 the signature fits; 4 issuer, audience,
        actor and scope are ours; 5 the times fit, `late_s` after its end at most.
        Raises: TokenRefusedError, and ConsoleSilentError when the keys cannot be asked for.
        """
        known = self.checked.get(token)
        if known is not None and known[1] == self.keys.generation:
            claims = known[0]
        else:
            claims = self._checked(token)
            self.checked.put(token, (claims, self.keys.generation))
        now = self.clock()
        if claims.issued > now + self.settings.leeway_s:
            _refuse("it lies ahead")
        if claims.expires + self.settings.leeway_s + late_s <= now:
            _refuse("it has expired")
        return claims

    def _checked(self, token: str) -> Claims:
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            _refuse("it is no token")
        try:
            # 1
            header = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
            if set(header) != {"alg", "kid", "typ"} or header["typ"] != "at+jwt" or header["alg"] not in ALGORITHMS:
                _refuse("its kind is not accepted")
            kid = header["kid"]
            # 2: never a key that the token brings along
            key = self.keys.key(kid) if isinstance(kid, str) else None
            if key is None:
                _refuse("its key is not the console's")
            # 3
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            _refuse(f"it fails a check ({type(wrong).__name__})")
        # 4, 5
        return self._claims(claims)

    def _claims(self, claims: Mapping[str, Any]) -> Claims:
        if claims.get("iss") != self.settings.console:
            _refuse("its issuer is not our console")
        if claims.get("aud") not in (self.settings.client_id, [self.settings.client_id]):
            _refuse("it is meant for somebody else")
        actor = claims.get("act")
        if not isinstance(actor, dict) or "act" in actor:
            _refuse("its actor is not one staff member")
        issued, starts, expires = (_seconds(claims, name) for name in ("iat", "nbf", "exp"))
        if not issued < expires <= issued + LONGEST_LIFE_S or starts > issued + self.settings.leeway_s:
            _refuse("its times do not fit")
        scope = claims.get("scope")
        if not isinstance(scope, str) or scope not in _SCOPES:
            _refuse("its scope is unknown")
        return Claims(
            sid=_text(claims, "sid"),
            jti=_text(claims, "jti"),
            subject=_text(claims, "sub"),
            tenant=_text(claims, "tenant"),
            staff=_text(actor, "sub"),
            staff_name=_text(actor, "name"),
            may_write=_SCOPES[scope],
            issued=max(issued, starts),
            expires=expires,
        )


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_TEXT or not found.isprintable():
        _refuse(f"its {name} is no text")
    return found


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    found = claims.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        _refuse(f"its {name} is no time")
    return found


def _refuse(why: str) -> NoReturn:
    raise TokenRefusedError(why)
