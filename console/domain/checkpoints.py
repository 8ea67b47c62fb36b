"""Checkpoints: what the trail held at a size, as a C2SP signed note that anybody can check."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NoReturn

from console.domain.errors import ConsoleError
from console.domain.merkle import HASH_BYTES

ED25519 = b"\x01"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
LARGEST_SIZE = 2**63 - 1
LONGEST_NOTE = 65_536
MOST_SIGNATURES = 16

_KEY_ID_BYTES = 4
_LINES = 3
_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteFault(StrEnum):
    """Every way in which a note can be refused."""

    CONTROL_CHARACTER = "control_character"
    TOO_LONG = "too_long"
    NO_SIGNATURES = "no_signatures"
    TOO_MANY_SIGNATURES = "too_many_signatures"
    SIGNATURE_LINE = "signature_line"
    KEY_NAME = "key_name"
    BASE64 = "base64"
    CHECKPOINT_LINES = "checkpoint_lines"
    ORIGIN = "origin"
    SIZE = "size"
    ROOT = "root"
    PUBLIC_KEY = "public_key"
    SIGNATURE_LENGTH = "signature_length"
    NO_KNOWN_KEY = "no_known_key"
    BAD_SIGNATURE = "bad_signature"
    OTHER_ORIGIN = "other_origin"


class NoteError(ConsoleError):
    """A note is malformed or not signed by a pinned key; `facts["fault"]` says which."""

    code = "note_refused"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The three lines: which log, how many leaves, which root. Raises: NoteError when they cannot be written."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse a checkpoint that could not be read back."""
        if not self.origin or "\n" in self.origin or _CONTROL.search(self.origin):
            _refuse(NoteFault.ORIGIN, "The origin is one non-empty line.")
        if not 0 <= self.size <= LARGEST_SIZE:
            _refuse(NoteFault.SIZE, "The size is a whole number of leaves.")
        if len(self.root) != HASH_BYTES:
            _refuse(NoteFault.ROOT, f"The root has {HASH_BYTES} bytes.")

    def text(self) -> str:
        """Return the text that is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Return the checkpoint that a text states; extension lines are refused, since nobody can audit them."""
        lines = text.split("\n")
        if len(lines) != _LINES + 1 or lines[-1]:
            _refuse(NoteFault.CHECKPOINT_LINES, "A checkpoint has exactly three lines, each ended.")
        if not _SIZE.fullmatch(lines[1]):
            _refuse(NoteFault.SIZE, "The size is decimal, without sign, spaces or leading zeros.")
        return cls(lines[0], int(lines[1]), _bytes(lines[2]))


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose key, the key's short id, the signature itself."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line as it stands in the note."""
        return f"{_DASH}{self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def render(self) -> str:
        """Return the note as one file."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)

    @classmethod
    def parse(cls, note: str) -> "Note":
        """Return the parts of a note.

        Raises: NoteError with the fault.   Source: C2SP signed-note.
        """
        if len(note.encode("utf-8", "surrogatepass")) > LONGEST_NOTE:
            _refuse(NoteFault.TOO_LONG, f"A note has at most {LONGEST_NOTE} bytes.")
        if _CONTROL.search(note):
            _refuse(NoteFault.CONTROL_CHARACTER, "A note holds no control character but the newline.")
        above, blank, below = note.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            _refuse(NoteFault.NO_SIGNATURES, "A note ends with an empty line and whole signature lines.")
        lines = below[:-1].split("\n")
        if len(lines) > MOST_SIGNATURES:
            _refuse(NoteFault.TOO_MANY_SIGNATURES, f"A note has at most {MOST_SIGNATURES} signatures.")
        return cls(above + "\n", tuple(_signature(line) for line in lines))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A pinned Ed25519 key; `verify(signature, message)` answers yes or no."""

    name: str
    public_key: bytes
    verify: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A checkpoint that at least one pinned key signed, and which of the verifiers those were."""

    checkpoint: Checkpoint
    note: Note
    signers: tuple[Verifier, ...]


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the four bytes that point to an Ed25519 key. Raises: NoteError for a bad name or key."""
    _check_name(name)
    if len(public_key) != KEY_BYTES:
        _refuse(NoteFault.PUBLIC_KEY, f"An Ed25519 key has {KEY_BYTES} bytes.")
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def signed(checkpoint: Checkpoint, name: str, *, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return the note for a checkpoint under one signature. Raises: NoteError when the parts do not fit."""
    text = checkpoint.text()
    return Note(text, (_made(text, name, public_key=public_key, sign=sign),)).render()


def also_signed(note: str, name: str, *, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return the note with one more signature, as when the old key and the new one sign one checkpoint."""
    parsed = Note.parse(note)
    added = _made(parsed.text, name, public_key=public_key, sign=sign)
    return Note(parsed.text, (*parsed.signatures, added)).render()


def open_note(note: str, verifiers: Iterable[Verifier], *, origin: str | None = None) -> OpenedNote:
    """Return the checkpoint of a note that a pinned key signed.

    Shape: one name may have several keys (rotation); signatures of unknown keys are ignored; a known key's
    signature that fails spoils the note; `origin` is the pinned log, when there is one.
    Raises: NoteError with the fault.   Source: C2SP signed-note, tlog-checkpoint.
    """
    parsed = Note.parse(note)
    known = {(each.name, key_id(each.name, each.public_key)): each for each in verifiers}
    message = parsed.text.encode()
    signers: dict[tuple[str, bytes], Verifier] = {}
    for signature in parsed.signatures:
        key = (signature.name, signature.key_id)
        verifier = known.get(key)
        if verifier is None:
            continue
        if len(signature.signature) != SIGNATURE_BYTES or not verifier.verify(signature.signature, message):
            _refuse(NoteFault.BAD_SIGNATURE, f"The signature of {signature.name} does not fit the text.")
        signers[key] = verifier
    if not signers:
        _refuse(NoteFault.NO_KNOWN_KEY, "No pinned key signed this note.")
    checkpoint = Checkpoint.parse(parsed.text)
    if origin is not None and checkpoint.origin != origin:
        _refuse(NoteFault.OTHER_ORIGIN, f"This is a checkpoint of {checkpoint.origin}.")
    return OpenedNote(checkpoint, parsed, tuple(signers.values()))


def _made(text: str, name: str, *, public_key: bytes, sign: Callable[[bytes], bytes]) -> Signature:
    identity = key_id(name, public_key)
    signature = sign(text.encode())
    if len(signature) != SIGNATURE_BYTES:
        _refuse(NoteFault.SIGNATURE_LENGTH, f"An Ed25519 signature has {SIGNATURE_BYTES} bytes.")
    return Signature(name, identity, signature)


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        _refuse(NoteFault.SIGNATURE_LINE, "A signature line is: em dash, key name, base64.")
    _check_name(name)
    raw = _bytes(encoded)
    if len(raw) <= _KEY_ID_BYTES:
        _refuse(NoteFault.SIGNATURE_LENGTH, "A signature follows the key's four bytes.")
    return Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if not name or "+" in name or _CONTROL.search(name) or any(letter.isspace() for letter in name):
        _refuse(NoteFault.KEY_NAME, "A key name is not empty and has neither spaces nor plus.")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(encoded: str) -> bytes:
    """Return the bytes behind standard base64, spelt the one right way."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or _base64(raw) != encoded:
        _refuse(NoteFault.BASE64, "This is not standard base64 with padding.")
    return raw


def _refuse(fault: NoteFault, message: str) -> NoReturn:
    raise NoteError(message, fault=fault.value)
