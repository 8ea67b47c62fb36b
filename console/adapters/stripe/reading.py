"""Reads the fields of a document: a missing or odd one says which, and nothing is guessed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
_LAST_SECOND = 253_402_300_799  # of the year 9999


class MalformedError(Exception):
    """A document lacks what its kind must have; the sentence says what."""


def text(document: Document, name: str) -> str:
    """Return a text that must be there. Raises: MalformedError."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{name} is missing.")
    return value


def text_or_none(document: Document, name: str) -> str | None:
    """Return a text, or None where there is none."""
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def whole(document: Document, name: str) -> int:
    """Return a whole number that must be there. Raises: MalformedError."""
    value = whole_or_none(document, name)
    if value is None:
        raise MalformedError(f"{name} is missing.")
    return value


def whole_or_none(document: Document, name: str) -> int | None:
    """Return a whole number, or None where there is none. Raises: MalformedError for anything else."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{name} is no whole number.")
    return value


def moment(document: Document, name: str) -> datetime:
    """Return a moment that must be there. Raises: MalformedError."""
    value = moment_or_none(document, name)
    if value is None:
        raise MalformedError(f"{name} is missing.")
    return value


def moment_or_none(document: Document, name: str) -> datetime | None:
    """Return a moment, or None where there is none. Raises: MalformedError for what is no moment."""
    seconds = whole_or_none(document, name)
    if seconds is None:
        return None
    if not 0 <= seconds <= _LAST_SECOND:
        raise MalformedError(f"{name} is no moment.")
    return datetime.fromtimestamp(seconds, tz=UTC)


def part(document: Document, *names: str) -> Document:
    """Return what stands inside, or nothing where it does not."""
    for name in names:
        inner = document.get(name)
        if not isinstance(inner, Mapping):
            return {}
        document = inner
    return document


def rows(document: Document, name: str) -> Sequence[Document]:
    """Return the documents of an array, or of a list with `data`; none where there is neither."""
    value = document.get(name)
    inner = value.get("data") if isinstance(value, Mapping) else value
    return [each for each in inner if isinstance(each, Mapping)] if isinstance(inner, list) else []


def reference(value: object) -> str | None:
    """Return the id that a field refers to, whether it was expanded or not."""
    named = value.get("id") if isinstance(value, Mapping) else value
    return named if isinstance(named, str) and named else None


def label(document: Document, name: str) -> str | None:
    """Return what the metadata says under a name."""
    return text_or_none(part(document, "metadata"), name)
