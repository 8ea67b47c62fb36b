"""What the identity provider publishes about itself: its metadata and its signing keys, kept for a while."""

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from console.adapters.oidc_http import checked, fetched
from console.domain.errors import OutsideError

_FRESH_S = 3600.0
_ASK_AGAIN_S = 10.0
_AFTER_FAILURE_S = 2.0
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class PublishedKeys:
    """The provider's discovery document and key set; an unknown key id is asked for once in ten seconds at most."""

    def __init__(
        self, issuer: str, session: Callable[[], OAuth2Session], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._session = session
        self._monotonic = monotonic
        self._lock = Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._metadata_at = 0.0
        self._failure: OutsideError | None = None
        self._failed_at = 0.0
        self._keys: tuple[Key, ...] = ()
        self._keys_at = float("-inf")

    def metadata(self) -> Mapping[str, Any]:
        """Return the discovery document, whose issuer is exactly ours. Raises: OutsideError."""
        with self._lock:
            now = self._monotonic()
            if self._failure is not None and now - self._failed_at < _AFTER_FAILURE_S:
                # Those who waited for the lock share the answer, instead of each waiting for the whole timeout.
                raise OutsideError(str(self._failure), permanent=self._failure.permanent)
            if self._metadata is None or now - self._metadata_at > _FRESH_S:
                try:
                    self._metadata, self._metadata_at = self._discovered(), now
                except OutsideError as broken:
                    self._failure, self._failed_at = broken, self._monotonic()
                    raise
            self._failure = None
            return self._metadata

    def key(self, kid: str | None) -> Key | None:
        """Return the key with an id, or the only key when a token names none. Raises: OutsideError."""
        jwks_uri = str(self.metadata()["jwks_uri"])
        with self._lock:
            found = self._known(kid)
            now = self._monotonic()
            if (found is None and now - self._keys_at > _ASK_AGAIN_S) or now - self._keys_at > _FRESH_S:
                self._keys, self._keys_at = self._fetched(jwks_uri), now
                found = self._known(kid)
            return found

    def _known(self, kid: str | None) -> Key | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)

    def _discovered(self) -> Mapping[str, Any]:
        found = fetched(self._session(), f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            message = "The identity provider calls itself otherwise than oidc.issuer."
            raise OutsideError(message, permanent=True)
        for name in _ENDPOINTS:
            checked(found.get(name))
        return found

    def _fetched(self, jwks_uri: str) -> tuple[Key, ...]:
        """Return the public signature keys; symmetric ones have no place in a published set."""
        published = fetched(self._session(), jwks_uri).get("keys")
        keys: list[Key] = []
        for raw in published if isinstance(published, list) else []:
            if not isinstance(raw, dict) or raw.get("kty") == "oct" or raw.get("use", "sig") != "sig":
                continue
            try:
                keys.extend(KeySet.import_key_set({"keys": [raw]}).keys)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
        return tuple(keys)
