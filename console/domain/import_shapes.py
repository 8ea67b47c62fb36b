"""What one field of an import takes: its type, its limits, and what to do about a value that does not fit."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LARGEST = 10**15
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Shape(StrEnum):
    """The type of a field."""

    TEXT = "text"
    INTEGER = "integer"
    TRUTH = "true or false"
    MOMENT = "moment"
    LIST = "list"
    OBJECT = "object"
    OBJECTS = "list of objects"


class _Required:
    """Marks a field that every row must have."""


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What one field takes; `example` and `choices` appear in remedies and in the documentation."""

    shape: Shape
    example: str
    default: Any = REQUIRED
    pattern: re.Pattern[str] | None = None
    choices: tuple[str, ...] = ()
    longest: int = 200
    least: int = 0
    most: int = LARGEST

    @property
    def is_required(self) -> bool:
        """Return whether a row must have the field."""
        return self.default is REQUIRED

    def fault(self, value: object) -> str | None:
        """Return what to do about a value of the right type, or None when it is good."""
        if isinstance(value, str):
            return self._text_fault(value)
        if isinstance(value, tuple):
            found = (self._text_fault(item) for item in value if isinstance(item, str))
            return next((fault for fault in found if fault), None)
        if isinstance(value, datetime) and not _EARLIEST <= value < _LATEST:
            return "use a moment between 1970 and 2200"
        if self.shape is Shape.INTEGER and isinstance(value, int) and not self.least <= value <= self.most:
            return f"use a whole number from {self.least} to {self.most}"
        return None

    def _text_fault(self, value: str) -> str | None:
        if len(value) > self.longest:
            return f"use at most {self.longest} characters; this has {len(value)}"
        if not value.strip():
            return f"must not be empty, e.g. {self.example}"
        if CONTROL.search(value):
            return "remove control characters and line breaks"
        if self.choices and value not in self.choices:
            return f"use one of {', '.join(self.choices)}"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return f"write it like {self.example}"
        return None


def text(example: str, *, pattern: str = "", longest: int = 200, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401
    """Return the rule of a text."""
    compiled = re.compile(pattern) if pattern else None
    return FieldRule(shape=Shape.TEXT, example=example, pattern=compiled, longest=longest, default=default)


def choice(*choices: str, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401  any value may be a default
    """Return the rule of a text that is one of a few."""
    return FieldRule(shape=Shape.TEXT, example=choices[0], choices=choices, default=default)


def number(example: str, *, least: int = 0, most: int = LARGEST, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401
    """Return the rule of a whole number."""
    return FieldRule(shape=Shape.INTEGER, example=example, least=least, most=most, default=default)


def moment(*, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401  any value may be a default
    """Return the rule of a moment."""
    return FieldRule(shape=Shape.MOMENT, example="2026-10-18T14:02:00Z", default=default)


ID = text("crm-4711", pattern=r"[A-Za-z0-9][A-Za-z0-9._:@/+-]*", longest=64)
