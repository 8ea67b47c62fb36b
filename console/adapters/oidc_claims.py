"""Checks one ID token from its signature to its times, and reads the claims we use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from console.domain.errors import BadValueError
from console.ports.identity import Claims

LEEWAY_S = 30
_LONGEST_TOKEN = 100_000
_LONGEST_SUBJECT = 255
_LONGEST_TEXT = 320
_MOST_GROUPS = 1_000
_LAST_SECOND = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What this attempt must bring back."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: tuple[str, ...]
    now: datetime


def verified(token: object, expected: Expected, *, key_of: Callable[[str | None], Key | None]) -> Mapping[str, Any]:
    """Return the claims of a token that passes every check.

    Shape: 1 the algorithm is listed; 2 the key is the provider's own; 3 the signature fits; 4 issuer, audience,
    nonce and times are exactly right.
    Raises: BadValueError for any other token.   Source: OpenID Connect Core §3.1.3.7; ASVS V9, V10.5.
    """
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        _refuse("there is no ID token")
    try:
        header = jws.extract_compact(token.encode()).headers()
        # 1
        if header.get("alg") not in expected.algorithms:
            _refuse("its algorithm is not accepted")
        # 2: never a key that the token brings along
        key = key_of(header.get("kid"))
        if key is None:
            _refuse("its key is not the provider's")
        # 3
        claims = jwt.decode(token, key, algorithms=list(expected.algorithms)).claims
        # 4
        _check(CodeIDToken(claims, header, *_rules(expected)), expected)
    except (JoseError, ValueError, TypeError, KeyError) as wrong:
        _refuse(f"it fails a check ({type(wrong).__name__})")
    return claims


def claims_of(claims: Mapping[str, Any], *, groups_claim: str) -> Claims:
    """Return verified claims in our words."""
    groups = claims.get(groups_claim, ())
    moment = claims.get("auth_time")
    return Claims(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=_text(claims.get("name")) or _text(claims.get("preferred_username")) or str(claims["sub"]),
        email=_text(claims.get("email")),
        groups=frozenset(_text(group) for group in groups[:_MOST_GROUPS]) if isinstance(groups, list) else frozenset(),
        acr=_text(claims.get("acr")),
        authenticated_at=datetime.fromtimestamp(moment, UTC) if isinstance(moment, int | float) else None,
        sid=_text(claims.get("sid")) or None,
    )


def _rules(expected: Expected) -> tuple[dict[str, Any], dict[str, Any]]:
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "sub": {"essential": True},
        "nonce": {"essential": True, "value": expected.nonce},
    }
    return options, {"nonce": expected.nonce, "client_id": expected.client_id}


def _check(claims: CodeIDToken, expected: Expected) -> None:
    """Hold the claims against this attempt; Authlib's checks first, then what it leaves to us."""
    now = int(expected.now.timestamp())
    claims.validate(now=now, leeway=LEEWAY_S)
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != expected.client_id:
        _refuse("it is meant for others too")
    for name in ("exp", "iat", "auth_time", "nbf"):
        moment = claims.get(name, now)
        if isinstance(moment, bool) or not isinstance(moment, int | float) or not 0 < moment < _LAST_SECOND:
            _refuse(f"its {name} is no time")
        if name != "exp" and moment > now + LEEWAY_S:
            _refuse(f"its {name} lies ahead")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        _refuse("its subject is no name of a person")


def _text(value: object) -> str:
    """Return a claim as one line of bounded text; anything else is as good as silent."""
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _refuse(why: str) -> NoReturn:
    message = f"The identity provider's answer cannot be believed: {why}."
    raise BadValueError(message, field="id_token", remedy="Begin the sign-in again.")
