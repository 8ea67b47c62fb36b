"""The console's public keys, kept for a while; an unknown one is asked for once in thirty seconds at most."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sallyport_kit.errors import ConsoleSilentError

ASK_AGAIN_S = 30.0
_PAUSE_S = 1.0
_MOST_KEYS = 20
_LOG = logging.getLogger(__name__)


class KeyBook:
    """Finds a key by its id; `generation` grows with every new set, so that nothing outlives a withdrawn key."""

    def __init__(
        self, fetch: Callable[[], Sequence[Any]], *, keep_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Fetch when first needed."""
        self._fetch = fetch
        self._keep_s = keep_s
        self._monotonic = monotonic
        self._lock = Lock()
        self._keys: Mapping[str, OKPKey] = {}
        self._kept_at = float("-inf")
        self._asked_at = float("-inf")
        self.generation = 0

    def key(self, kid: str) -> OKPKey | None:
        """Return a key by its id; None when the console does not publish it.

        Raises: ConsoleSilentError when no set was ever heard, or none answers for a key that is not known.
        """
        now = self._monotonic()
        found = self._keys.get(kid)
        if found is not None and now - self._kept_at <= self._keep_s:
            return found
        with self._lock:
            now = self._monotonic()
            is_first = self._kept_at == float("-inf")
            if now - self._asked_at >= (_PAUSE_S if is_first else ASK_AGAIN_S) or now < self._asked_at:
                self._renew(now, is_needed=found is None)
            elif is_first:  # whoever waited for somebody else's time-out does not wait for one of their own
                raise ConsoleSilentError("The console published no keys a moment ago.")
            return self._keys.get(kid)

    def _renew(self, now: float, *, is_needed: bool) -> None:
        try:
            keys = _public(self._fetch())
        except ConsoleSilentError:
            self._asked_at = self._monotonic()
            if is_needed:
                raise
            _LOG.warning("The console's keys could not be renewed; the known ones stay until it answers.")
            return
        self._asked_at = self._kept_at = now
        if {kid: key.as_dict() for kid, key in keys.items()} != {kid: key.as_dict() for kid, key in self._keys.items()}:
            self._keys = keys
            self.generation += 1


def _public(published: Sequence[Any]) -> Mapping[str, OKPKey]:
    """Return the keys for signatures with Ed25519; whatever else is published is not for us."""
    keys: dict[str, OKPKey] = {}
    for raw in published[:_MOST_KEYS]:
        if not isinstance(raw, dict) or not isinstance(raw.get("kid"), str) or raw.get("use", "sig") != "sig":
            continue
        if raw.get("kty") != "OKP" or raw.get("crv") != "Ed25519" or "d" in raw:
            continue
        try:
            keys[raw["kid"]] = OKPKey.import_key(raw)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return keys
