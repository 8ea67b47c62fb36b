"""Staff sign-in by OpenID Connect: authorization code with PKCE, every claim checked before it is believed."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.requests_client import OAuth2Session

from console.adapters.oidc_claims import Expected, claims_of, verified
from console.adapters.oidc_http import checked, exchanged, fetched, session_with
from console.adapters.oidc_keys import PublishedKeys
from console.domain.errors import BadValueError, OutsideError
from console.ports.clock import Clock
from console.ports.identity import Claims

_ATTEMPT_S = 600
_KEPT = ("state", "nonce", "verifier", "redirect_uri", "began_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """What the identity provider knows us by, and what we accept from it. Units: seconds."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    groups_claim: str = "groups"
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "Ed25519")
    token_auth: str = "client_secret_basic"  # noqa: S105  a method's name
    timeout_s: float = 5.0


class OidcProvider:
    """Sends browsers to one provider and believes what comes back only after every check."""

    def __init__(self, client: OidcClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._published = PublishedKeys(client.issuer, lambda: session_with(client.timeout_s))

    def begin(self, *, redirect_uri: str, max_age_s: int | None) -> tuple[str, Mapping[str, str]]:
        """Return where to send the browser, and what must be kept for `finish`; raises OutsideError.

        Shape: what is kept belongs to this browser and this attempt; forget it before calling `finish`.
        """
        kept = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "verifier": secrets.token_urlsafe(48),
            "redirect_uri": redirect_uri,
            "began_at": str(int(self._clock.now().timestamp())),
        }
        extra: dict[str, Any] = {"nonce": kept["nonce"]}
        if max_age_s is not None:
            # max_age=0 loops for ever at one provider; a small age with prompt=login means the same everywhere.
            extra |= {"max_age": max(max_age_s, 1), "prompt": "login"}
        endpoint = checked(self._published.metadata()["authorization_endpoint"])
        url, _ = self._session(redirect_uri).create_authorization_url(
            endpoint, state=kept["state"], code_verifier=kept["verifier"], **extra
        )
        return url, kept

    def finish(self, *, callback_url: str, kept: Mapping[str, str]) -> Claims:
        """Return the verified claims; raises BadValueError for a wrong answer, OutsideError for none."""
        code = self._code_in(callback_url, kept)
        metadata = self._published.metadata()
        session = self._session(kept["redirect_uri"])
        answer = exchanged(session, metadata["token_endpoint"], code=code, verifier=kept["verifier"])
        expected = Expected(
            issuer=self._client.issuer,
            client_id=self._client.client_id,
            nonce=kept["nonce"],
            algorithms=self._client.algorithms,
            now=self._clock.now(),
        )
        token = verified(answer.get("id_token"), expected, key_of=self._published.key)
        return claims_of(
            self._with_profile(token, metadata, access_token=answer.get("access_token")),
            groups_claim=self._client.groups_claim,
        )

    def _session(self, redirect_uri: str) -> OAuth2Session:
        return session_with(
            self._client.timeout_s,
            client_id=self._client.client_id,
            client_secret=self._client.client_secret,
            token_endpoint_auth_method=self._client.token_auth,
            scope=" ".join(self._client.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _code_in(self, callback_url: str, kept: Mapping[str, str]) -> str:
        """Return the code of a callback that belongs to this attempt."""
        if any(not kept.get(name) for name in _KEPT):
            _refuse("state", "No sign-in is under way in this browser.")
        query = parse_qs(urlsplit(callback_url).query, keep_blank_values=True)
        if any(len(values) > 1 for values in query.values()):
            _refuse("state", "The callback repeats a parameter.")
        given = {name: values[0] for name, values in query.items()}
        if not hmac.compare_digest(given.get("state", "").encode(), kept["state"].encode()):
            _refuse("state", "The callback belongs to another sign-in.")
        age = self._clock.now() - datetime.fromtimestamp(int(kept["began_at"]), UTC)
        if not -5 <= age.total_seconds() <= _ATTEMPT_S:
            _refuse("state", "The sign-in took too long.")
        self._check_issuer(given.get("iss"))
        if "error" in given:
            _refuse("error", "The identity provider did not sign you in.")
        if not given.get("code"):
            _refuse("code", "The callback carries no code.")
        return given["code"]

    def _check_issuer(self, named: str | None) -> None:
        """Refuse an answer of another provider (RFC 9207)."""
        must = self._published.metadata().get("authorization_response_iss_parameter_supported") is True
        if (named is None and must) or (named is not None and named != self._client.issuer):
            _refuse("iss", "The callback comes from another identity provider.")

    def _with_profile(
        self, token: Mapping[str, Any], metadata: Mapping[str, Any], *, access_token: object
    ) -> Mapping[str, Any]:
        """Return the claims with name, e-mail and groups from the userinfo address where the token is silent."""
        endpoint = metadata.get("userinfo_endpoint")
        wanted = ("name", "email", self._client.groups_claim)
        if endpoint is None or not isinstance(access_token, str) or all(name in token for name in wanted):
            return token
        profile = fetched(session_with(self._client.timeout_s), checked(endpoint), bearer=access_token)
        if profile.get("sub") != token["sub"]:
            message = "The identity provider's userinfo speaks of another person."
            raise OutsideError(message, permanent=True)
        return {name: profile[name] for name in wanted if name in profile} | dict(token)


def _refuse(field: str, message: str) -> NoReturn:
    raise BadValueError(message, field=field, remedy="Begin the sign-in again.")
