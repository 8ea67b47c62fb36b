"""The Ed25519 keys of the product's tokens: numbered files in one folder, of which the newest signs."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from console.adapters.signing_key import SigningKeyError, make_key, read_key

ALGORITHM: Final = "Ed25519"  # by its full name: RFC 9864 gives up "EdDSA", which left the curve open
TYPE = "at+jwt"
_LONGEST_TOKEN = 4_096
_FILE = re.compile(r"[0-9]{4}\.(pem|pub)")
_FIRST = "0001.pem"


class FileTokenKeys:
    """Signs with the newest private key; of the others only the public half is kept, for tokens and caches of theirs.

    Shape: a rotation by another process is seen at the next token, because the names in the folder are looked at; its
    time of change would not do, which stands still for some milliseconds.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._seen: list[Path] = []
        self._signing = ("", OKPKey.generate_key(ALGORITHM))
        self._known: dict[str, OKPKey] = {}

    @classmethod
    def opened(cls, folder: Path) -> "FileTokenKeys":
        """Return the keys of a folder, with a first one where there is none. Raises: SigningKeyError."""
        if not any(_FILE.fullmatch(each.name) for each in folder.glob("*")):
            make_key(folder / _FIRST)
        keys = cls(folder)
        keys._fresh()
        return keys

    def signed(self, claims: Mapping[str, object]) -> str:
        """Return a token signed by the newest key."""
        kid, key = self._fresh()
        header = {"alg": ALGORITHM, "kid": kid, "typ": TYPE}
        return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])

    def read(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of a token that one of our keys signed in exactly our way.

        Shape: 1 nothing that is no text of ours; 2 our algorithm, type and key, and nothing else in the header;
        3 the signature.
        """
        # 1
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        try:
            header = jws.extract_compact(token.encode()).headers()
            # 2
            is_ours = (
                header.get("alg") == ALGORITHM and header.get("typ") == TYPE and set(header) == {"alg", "kid", "typ"}
            )
            self._fresh()
            key = self._known.get(str(header.get("kid")))
            if not is_ours or key is None:
                return None
            # 3
            return jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError):
            return None

    def published(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the public halves of all keys, the newest first."""
        self._fresh()
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
                for kid, key in self._known.items()
            ]
        }

    def rotate(self) -> str:
        """Make a new key, keep only the public half of the one before, and return the new key's id."""
        with self._lock:
            newest = self._files()[-1]
            number = int(newest.stem) + 1
            make_key(self._folder / f"{number:04}.pem")
            for old in self._files()[:-1]:
                if old.suffix == ".pem":
                    _retire(old)
        return self._fresh()[0]

    def _fresh(self) -> tuple[str, OKPKey]:
        """Return the signing key and its id, read again only where the folder changed."""
        with self._lock:
            files = self._files()
            while files != self._seen:
                try:
                    self._signing, self._known = _loaded(files)
                    self._seen = files
                except SigningKeyError:  # a rotation that is under way takes a file from under our eyes
                    now = self._files()
                    if now == files:
                        raise
                    files = now
            return self._signing

    def _files(self) -> list[Path]:
        return sorted(each for each in self._folder.iterdir() if _FILE.fullmatch(each.name))


def _loaded(files: list[Path]) -> tuple[tuple[str, OKPKey], dict[str, OKPKey]]:
    private = [file for file in files if file.suffix == ".pem"]
    if not private:
        raise SigningKeyError(f"{files[0].parent if files else 'The key folder'}: holds no private key; restore it.")
    newest = OKPKey.import_key(read_key(private[-1]))
    known = {newest.thumbprint(): newest}
    for file in reversed(files):
        public = read_key(file).public_key() if file.suffix == ".pem" else _public(file)
        key = OKPKey.import_key(public)
        known.setdefault(key.thumbprint(), key)
    return (newest.thumbprint(), newest), known


def _public(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError(f"{file}: this is no public Ed25519 key in PEM; restore it, or remove it if it is old.")
    return key


def _retire(private: Path) -> None:
    """Write the public half beside a private key, and then let the private one go."""
    pem = read_key(private).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    draft = private.with_name(f".{private.stem}.{os.getpid()}")
    draft.write_bytes(pem)
    draft.replace(private.with_suffix(".pub"))
    private.unlink()
