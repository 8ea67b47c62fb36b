"""Tokens come back altered, unsigned, signed by others, for somebody else, from the future, or long after their end."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from joserfc import jwt
from joserfc.jwk import OKPKey

from tests.attacks.door import Attempts, Door
from tests.attacks.product import claims, inside_product, kit, renew, still_runs
from tests.products import token_keys

CHECKLIST = ("V9.1.1", "V9.1.2", "V9.1.3", "V9.2.1", "V9.2.3")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for the next token with each of them; none is believed."""
    _agent, inside = inside_product(door)
    good = claims(inside)
    unread = door.attempts(400, "product.refused")
    for place, change in (
        (1, {"sub": "mem_other"}), (1, {"act": {"sub": "staff_other", "name": "Nobody"}}), (1, {"scope": "read write"}),
        (1, {"exp": 9_999_999_999}), (0, {"alg": "none"}), (0, {"alg": "HS256"}), (0, {"kid": "another"}),
        (0, {"typ": "JWT"}), (0, {"jwk": {}}), (0, {"crit": ["exp"]}),
    ):  # fmt: skip
        renew(unread, _altered(inside.token, place, change))
    renew(unread, inside.token.rpartition(".")[0] + ".")
    stranger = OKPKey.generate_key("Ed25519")
    kid = jwt.decode(inside.token, _public(), algorithms=["Ed25519"]).header["kid"]
    renew(unread, jwt.encode({"alg": "Ed25519", "typ": "at+jwt", "kid": kid}, good, stranger, algorithms=["Ed25519"]))
    now = int(door.cast.clock.now().timestamp())
    lies = door.attempts(400, "impersonation.refused")
    for lie in (
        {"aud": "another-app"}, {"iss": "https://elsewhere.example"}, {"iat": now + 6}, {"nbf": now + 60},
        {"exp": now - 300}, {"sub": "mem_other"},
    ):  # fmt: skip
        renew(lies, token_keys().signed({**good, **lie}))
    assert still_runs(door, inside.sid)
    assert kit(door).introspect(inside.token)["active"]
    return unread, lies


def _altered(token: str, place: int, change: Mapping[str, object]) -> str:
    parts = token.split(".")
    plain = json.loads(urlsafe_b64decode(parts[place] + "==")) | change
    parts[place] = urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")
    return ".".join(parts)


def _public() -> OKPKey:
    (key, *_older) = token_keys().published()["keys"]
    return OKPKey.import_key(dict(key))
