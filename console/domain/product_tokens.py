"""What a token for the product says, and everything that can be wrong with one that comes back."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from console.domain.ids import ImpersonationId, SessionKey
from console.domain.impersonations import Impersonation

SKEW_SECONDS = 5  # machines of one house disagree by less
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_STATE = re.compile(r"[A-Za-z0-9._~-]{8,256}")
_TIMES = ("iat", "nbf", "exp")
_LONGEST_ID = 64


class TokenFault(StrEnum):
    """What is wrong with a token; stable codes of the trail."""

    NOT_OURS = "token_not_ours"
    FOREIGN = "token_for_somebody_else"
    FUTURE = "token_from_the_future"
    EXPIRED = "token_expired"


class CodeFault(StrEnum):
    """What is wrong with a code; stable codes of the trail."""

    UNKNOWN = "code_unknown"
    SPENT = "code_spent"
    EXPIRED = "code_expired"
    VERIFIER = "code_verifier_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOffCode:
    """A one-use code, of which only the digest is kept; bound to the row, the staff session and the browser."""

    digest: str
    impersonation: ImpersonationId
    session: SessionKey
    challenge: str
    made_at: datetime
    until: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The names under which a token is made: who issues it, for whom, and who the staff member is to the product."""

    issuer: str
    audience: str
    tenant: str
    actor: str
    actor_name: str


def claims_of(row: Impersonation, party: Party, *, now: datetime, seconds: int, jti: str) -> dict[str, object]:
    """Return the claims of a fresh token, which never outlives the impersonation. Units: whole seconds since 1970."""
    issued = int(now.timestamp())
    return {
        "iss": party.issuer,
        "aud": party.audience,
        "sub": row.member,
        "act": {"sub": party.actor, "name": party.actor_name},
        "sid": row.id,
        "tenant": party.tenant,
        "scope": row.mode.scope,
        "iat": issued,
        "nbf": issued,
        "exp": min(issued + seconds, int(row.not_after.timestamp())),
        "jti": jti,
    }


def fault_of(
    claims: Mapping[str, object], *, issuer: str, audience: str, now: datetime, grace_seconds: int = 0
) -> TokenFault | None:
    """Return what is wrong with the claims of a token that we signed; `grace_seconds` after its end are forgiven."""
    times = [each for name in _TIMES if isinstance(each := claims.get(name), int)]
    if len(times) != len(_TIMES) or sid_of(claims) is None:
        return TokenFault.NOT_OURS
    issued, begins, ends = times
    moment = now.timestamp()
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        return TokenFault.FOREIGN
    if max(issued, begins) > moment + SKEW_SECONDS:
        return TokenFault.FUTURE
    return TokenFault.EXPIRED if moment >= ends + grace_seconds else None


def sid_of(claims: Mapping[str, object]) -> ImpersonationId | None:
    """Return which impersonation a token belongs to."""
    sid = claims.get("sid")
    return ImpersonationId(sid) if isinstance(sid, str) and 0 < len(sid) <= _LONGEST_ID else None


def digest_of(code: str) -> str:
    """Return under which digest a code is kept."""
    return sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def challenge_of(verifier: str) -> str | None:
    """Return the challenge that a verifier answers, None for what is no verifier. Source: RFC 7636, S256."""
    if not _VERIFIER.fullmatch(verifier):
        return None
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def is_challenge(text: str) -> bool:
    """Return whether a text can be a challenge after S256."""
    return _CHALLENGE.fullmatch(text) is not None


def is_state(text: str) -> bool:
    """Return whether a text can be the state that the product gets back."""
    return _STATE.fullmatch(text) is not None
