"""The product of the settings: how it is known, and whether a caller is it."""

import hmac
from hashlib import sha256
from typing import Protocol

from console.domain.ids import StaffId
from console.ports.product import TokenKeys

_PURPOSE = "sallyport staff pseudonym v1 "


class Fingerprinting(Protocol):
    """Makes keyed digests."""

    def of(self, text: str) -> str:
        """Return a digest that nobody without the key can make."""
        ...


class ConnectedProduct:
    """One product by its settings."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        issuer: str,
        address: str,
        callback: str,
        keys: TokenKeys,
        fingerprints: Fingerprinting,
    ) -> None:
        """Keep the registration; of the secret only a digest."""
        self._client_id = client_id
        self._secret = _digest(client_secret)
        self._issuer = issuer.rstrip("/")
        self._address = address.rstrip("/")
        self._callback = callback
        self._keys = keys
        self._fingerprints = fingerprints

    @property
    def client_id(self) -> str:
        """Return the name by which it calls us."""
        return self._client_id

    @property
    def issuer(self) -> str:
        """Return our own address as it reaches us."""
        return self._issuer

    @property
    def address(self) -> str:
        """Return its origin."""
        return self._address

    @property
    def callback(self) -> str:
        """Return the path to which a browser carries a code."""
        return self._callback

    @property
    def keys(self) -> TokenKeys:
        """Return the keys of its tokens."""
        return self._keys

    def is_called_by(self, client_id: str, secret: str) -> bool:
        """Return whether a caller knows name and secret: both digests are compared, whatever the first says."""
        is_named = hmac.compare_digest(_digest(client_id), _digest(self._client_id))
        is_secret = hmac.compare_digest(_digest(secret), self._secret)
        return is_named and is_secret

    def pseudonym(self, staff: StaffId) -> str:
        """Return under which name the product knows a staff member."""
        return f"staff_{self._fingerprints.of(_PURPOSE + staff)[:26]}"


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
