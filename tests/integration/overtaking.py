"""Somebody who is faster: what another process does a moment before ours, inside the very step of ours."""

from collections.abc import Callable
from typing import Any

import pytest


def overtake(
    monkeypatch: pytest.MonkeyPatch, book: type, verb: str, first: Callable[..., object] | None = None
) -> None:
    """Let somebody else do the next `verb` of a book before us, once; `first` is what they do, else the very same."""
    real = getattr(book, verb)

    def late(self: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the book takes and gives
        monkeypatch.setattr(book, verb, real)
        (first or real)(self, *given, **named)
        return real(self, *given, **named)

    monkeypatch.setattr(book, verb, late)
