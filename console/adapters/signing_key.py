"""The Ed25519 key that signs checkpoints, in one file that only this account can read."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from console.domain.errors import ConsoleError

PRIVATE = 0o600


class SigningKeyError(ConsoleError):
    """The key file cannot be trusted or read; the sentence says how to mend it."""

    code = "signing_key_unusable"


class FileSigningKey:
    """Signs checkpoint texts; `name` is the log's origin."""

    def __init__(self, key: Ed25519PrivateKey, *, name: str) -> None:
        self._key = key
        self._public: Ed25519PublicKey = key.public_key()
        self._name = name

    @classmethod
    def opened(cls, path: Path, *, name: str) -> "FileSigningKey":
        """Return the key in a file, which is made when there is none; two processes that start at once share one.

        Raises: SigningKeyError when others can read the file or it holds no Ed25519 key.
        """
        if not os.path.lexists(path):
            make_key(path)
        return cls(read_key(path), name=name)

    @property
    def name(self) -> str:
        """Return the key's name, which is also the log's origin."""
        return self._name

    @property
    def public_key(self) -> bytes:
        """Return the 32 raw bytes of the public key."""
        return self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self._key.sign(message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Return whether a signature is this key's."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def make_key(path: Path) -> None:
    """Write a new key: whole and private before it has its name, and never over another."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a file. Raises: SigningKeyError when others can read it or it holds no Ed25519 key."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as broken:
        message = (
            f"{path}: the signing key cannot be opened ({broken.strerror}); it must be a plain file of this account."
        )
        raise SigningKeyError(message) from None
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            message = f"{path}: others can read the signing key; take it out of use, or run chmod 600 if nobody did."
            raise SigningKeyError(message)
        pem = file.read()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(f"{path}: this is no Ed25519 key in PEM; restore it from its backup.")
    return key
