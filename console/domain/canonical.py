"""Canonical bytes: one value, one spelling (RFC 8785 without floats), so that a digest means one thing."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NoReturn, TypeAlias, cast

from console.domain.errors import ConsoleError

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"

LARGEST = 2**53 - 1
DEEPEST = 64

_WHOLES = frozenset({dict, list})
_BEYOND = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")
# Nothing that comes here holds itself: its depth has been looked at, or it was parsed.
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
_sorting_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, sort_keys=True
)


class NotCanonicalError(ConsoleError):
    """A value lies outside the closed domain; `facts["path"]` says where."""

    code = "not_canonical"


class _OutsideDomainError(Exception):
    """Carries the path up, one step per level, so that a good value pays nothing for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.steps: list[str] = []


def canonical_bytes(value: object) -> bytes:
    """Return the only spelling of a value, in UTF-8.

    Shape: objects with string keys, arrays, strings, booleans, null, integers within ±(2^53-1); no floats.
    Raises: NotCanonicalError for anything else, with the path.   Source: RFC 8785.
    """
    if _is_built_in(value, DEEPEST):
        return bytes_of_plain(cast("Plain", value))
    return _encoder.encode(_checked(value, _whole)).encode()


def bytes_of_plain(value: Plain) -> bytes:
    """Return the canonical bytes of a value whose maker answers for its being of the closed domain, exact types too."""
    text = _sorting_encoder.encode(value)
    if text.isascii() or not _BEYOND.search(text):
        return text.encode()
    return _encoder.encode(_checked(value, _whole)).encode()


def exact(value: int) -> int:
    """Return an integer that is exact everywhere. Raises: NotCanonicalError for one beyond 2^53-1."""
    if not -LARGEST <= value <= LARGEST:
        message = "$: an integer beyond 2^53-1 is not exact everywhere."
        raise NotCanonicalError(message, path="$")
    return value


def normal(value: object) -> Plain:
    """Return a plain copy with every string in NFC, so that payloads of the same meaning share one digest.

    Raises: NotCanonicalError, also when two keys of one object become the same.
    """
    return _checked(value, _composed)


def digest_hex(value: object) -> str:
    """Return the hex SHA-256 of a value's canonical bytes; payloads from people go through `normal` first."""
    return sha256_hex(canonical_bytes(value))


def sha256_hex(raw: bytes) -> str:
    """Return the hex SHA-256 of bytes."""
    return sha256(raw).hexdigest()


def parse_canonical(raw: bytes) -> Plain:
    """Return the value behind canonical bytes.

    Raises: NotCanonicalError when the bytes are not JSON, repeat a key, hold a float or are spelt another way.
    """
    try:
        text = raw.decode("utf-8")
        value: Plain = _decoder.decode(text)
    except (ValueError, RecursionError) as broken:
        message = "These bytes are not strict JSON in UTF-8."
        raise NotCanonicalError(message, path="$") from broken
    if not _is_plainly_spelt(value, text):
        plain = _checked(value, _whole)
        if _encoder.encode(plain) != text:
            message = "These bytes spell their value in another way than the canonical one."
            raise NotCanonicalError(message, path="$")
    return value


def is_canonical(raw: bytes) -> bool:
    """Return whether bytes are the canonical spelling of what they say."""
    try:
        parse_canonical(raw)
    except NotCanonicalError:
        return False
    return True


def _is_built_in(value: object, room: int) -> bool:
    """Return True for what the C encoder spells as `_checked` would; False means: look closer.

    Every write of the console passes here, so it copies nothing. Below U+10000 code points sort as UTF-16 does.
    """
    kind = type(value)
    if kind is dict:
        whole = cast("dict[object, object]", value)
        return room > 0 and all(type(key) is str for key in whole) and _are_built_in(whole.values(), room - 1)
    if kind is list:
        return room > 0 and _are_built_in(cast("list[object]", value), room - 1)
    return _are_built_in((value,), room)


def _are_built_in(values: Iterable[object], room: int) -> bool:
    for value in values:
        kind = type(value)
        if kind is str or value is None or kind is bool:
            continue
        if kind is int:
            if not -LARGEST <= cast("int", value) <= LARGEST:
                return False
        elif kind not in _WHOLES or not _is_built_in(value, room):
            return False
    return True


def _checked(value: object, text: Callable[[str], str]) -> Plain:
    try:
        return _copied(value, text, depth=0)
    except _OutsideDomainError as outside:
        path = "$" + "".join(reversed(outside.steps)).encode("utf-8", "backslashreplace").decode()
        message = f"{path}: {outside}."
        raise NotCanonicalError(message, path=path) from None


def _copied(value: object, text: Callable[[str], str], *, depth: int) -> Plain:
    """Return the value rebuilt from exact built-in types, keys in UTF-16 order."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return text(value)
    if type(value) is int:
        if not -LARGEST <= value <= LARGEST:
            raise _OutsideDomainError("an integer beyond 2^53-1 is not exact everywhere")
        return value
    if depth >= DEEPEST:
        raise _OutsideDomainError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, list | tuple):
        return _copied_array(value, text, depth=depth + 1)
    if isinstance(value, dict | Mapping):
        return _copied_object(value, text, depth=depth + 1)
    raise _OutsideDomainError(f"{type(value).__name__} is not in the closed domain")


def _copied_array(value: Sequence[object], text: Callable[[str], str], *, depth: int) -> list[Plain]:
    copied: list[Plain] = []
    try:
        for item in value:
            copied.append(_copied(item, text, depth=depth))  # noqa: PERF401  its length tells where it broke
    except _OutsideDomainError as outside:
        outside.steps.append(f"[{len(copied)}]")
        raise
    return copied


def _copied_object(value: Mapping[object, object], text: Callable[[str], str], *, depth: int) -> dict[str, Plain]:
    copied: dict[str, Plain] = {}
    name = ""
    for key, item in value.items():
        if not isinstance(key, str):
            raise _OutsideDomainError(f"a key is {type(key).__name__}, not a string")
        try:
            name = key
            name = text(key)
            if name in copied:
                raise _OutsideDomainError("two keys are the same text")  # noqa: TRY301  the path is added below
            copied[name] = _copied(item, text, depth=depth)
        except _OutsideDomainError as outside:
            outside.steps.append(f".{name}")
            raise
    order = None if "".join(copied).isascii() else _utf16
    return {name: copied[name] for name in sorted(copied, key=order)}


def _whole(text: str) -> str:
    """Return exactly the text, as built-in `str` even when it is an enum's member."""
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _OutsideDomainError("a lone surrogate is not text") from None
    return str.__str__(text)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _whole(text))


def _utf16(key: str) -> bytes:
    """Return the order of RFC 8785: by UTF-16 code units, which differs from code points beyond U+FFFF."""
    return key.encode("utf-16-be")


def _is_plainly_spelt(value: Plain, text: str) -> bool:
    """Return True for what the C encoder alone can vouch for; False means: look closer, not: wrong.

    A verifier reads millions of bodies. The decoder has refused floats and large integers; here few brackets
    bound the depth, and below U+10000 code points sort as UTF-16 does; a repeated key cannot come out twice.
    """
    if text.count("[") + text.count("{") > DEEPEST or _BEYOND.search(text):
        return False
    return _sorting_encoder.encode(value) == text


def _exact(digits: str) -> int:
    number = int(digits)
    if not -LARGEST <= number <= LARGEST:
        message = f"{digits} is beyond 2^53-1"
        raise ValueError(message)
    return number


def _no_number(spelling: str) -> NoReturn:
    message = f"{spelling[:32]} is not an integer"
    raise ValueError(message)


_decoder = json.JSONDecoder(parse_int=_exact, parse_float=_no_number, parse_constant=_no_number)
