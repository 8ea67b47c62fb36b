"""The key that signs checkpoints and the place outside the database that keeps them."""

from collections.abc import Sequence
from typing import Protocol


class CheckpointSigner(Protocol):
    """Signs checkpoint texts with Ed25519."""

    @property
    def name(self) -> str:
        """Return the key's name, which is also the log's origin."""
        ...

    @property
    def public_key(self) -> bytes:
        """Return the 32 raw bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether a signature is this key's."""
        ...


class CheckpointSink(Protocol):
    """Keeps signed checkpoints outside the database."""

    def publish(self, note: str) -> None:
        """Store one more note durably; raises OutsideError."""
        ...

    def published(self) -> Sequence[str]:
        """Return all notes, oldest first."""
        ...
