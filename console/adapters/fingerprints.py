"""Keyed digests under the house's own key."""

import hmac

_SHORTEST_KEY = 32


class HmacFingerprints:
    """HMAC-SHA-256 of texts; without the key a stored digest cannot be tried against a dictionary."""

    def __init__(self, key: str) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"the fingerprint key needs {_SHORTEST_KEY} characters")
        self._key = key.encode()

    def of(self, text: str) -> str:
        """Return hex HMAC-SHA-256 of a text."""
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
