"""Column types: moments as whole microseconds, texts that both databases accept, small documents."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine

from console.domain.errors import BadValueError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLAIN = frozenset({str, type(None)})
_EMPTY: Mapping[type, str] = {dict: "{}", list: "[]"}

RowNumber = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows itself only in INTEGER columns


class UnstorableTextError(BadValueError, DontWrapMixin):
    """A text holds what PostgreSQL cannot store: NUL or half a surrogate pair."""


def stored_micros(moment: datetime) -> int:
    """Return whole microseconds since 1970. Raises: TypeError for a moment without a time zone."""
    if moment.tzinfo is None:
        message = "A stored moment needs a time zone."
        raise TypeError(message)
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """Return the aware UTC moment behind whole microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def storable(text: str) -> str:
    """Return the text. Raises: UnstorableTextError when a database would refuse it."""
    if "\x00" in text:
        message = "A text holds a NUL character."
        raise UnstorableTextError(message, remedy="Remove the NUL character.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as broken:
            message = "A text holds half a surrogate pair."
            raise UnstorableTextError(message, remedy="Send well-formed UTF-8.") from broken
    return text


_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Spelt(str):
    """A document that is written already, by the same rules as `Document` writes it."""

    __slots__ = ()


def _micros_or_none(value: datetime | None) -> int | None:
    return None if value is None else stored_micros(value)


def _moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def _text_or_none(value: str | None) -> str | None:
    if value is None:
        return None
    if value.__class__ is str and value.isascii() and "\x00" not in value:  # nearly all, and there are many
        return value
    return str.__str__(storable(value))


def are_plain(values: Sequence[object]) -> bool:
    """Return whether all of these are texts that are stored as they are, or None: one look at a whole column."""
    if not _PLAIN.issuperset(map(type, values)):
        return False
    text = "".join(filter(None, cast("Sequence[str]", values)))
    return text.isascii() and "\x00" not in text


def _json_or_none(value: object) -> str | None:
    if value is None:
        return None
    if not value and value.__class__ in _EMPTY:  # half of all documents
        return _EMPTY[value.__class__]
    return str.__str__(value) if isinstance(value, Spelt) else _written(value)


def _value_or_none(value: str | None) -> object:
    return None if value is None else json.loads(value)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as BIGINT microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Return what makes the integer to store; called for each value, so nothing stands around it."""
        return _micros_or_none

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """Return what makes the moment in UTC."""
        return _moment_or_none


class Words(TypeDecorator[str]):
    """A text compared by code point on both databases; an enum's member is stored as its value."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return a text whose order does not depend on the server's locale."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Return what makes the plain text, which raises UnstorableTextError."""
        return _text_or_none


class Document(TypeDecorator[Any]):
    """A small JSON value, stored as text so that both databases keep exactly the same."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[object], str | None]:
        """Return what makes the JSON text, ASCII only, so that no character can be refused."""
        return _json_or_none

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], object]:
        """Return what makes the value."""
        return _value_or_none
