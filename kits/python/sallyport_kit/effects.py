"""What each endpoint of a product does, declared beside it: it reads, it writes, or staff may never do it for a member.

The verb of a request says nothing: a GET may write and a POST may search. An endpoint that declares nothing is refused
while somebody impersonates.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, overload

View = TypeVar("View", bound=Callable[..., Any])

NEVER_ALLOWED = frozenset({
    "password.change",
    "email.change",
    "mfa.change",
    "api_key.create",
    "oauth.grant",
    "payout.change",
    "bank.change",
    "account.delete",
    "data.export",
    "member.invite",
    "terms.accept",
})  # fmt: skip
_MARK = "__sallyport__"
_OPERATION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class Effect(StrEnum):
    """What an endpoint does to the data of the product."""

    READ = "read"
    WRITE = "write"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one endpoint says of itself; `is_polled` means that browsers call it by themselves, without a person."""

    effect: Effect
    operation: str = ""
    is_polled: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request leads: the pattern of the route, never the raw path, and what its endpoint declares."""

    pattern: str
    declaration: Declaration | None


NO_ROUTE = Found("/(none)", Declaration(Effect.READ))
"""For a finder that asked the product's own router and heard that the address leads nowhere."""


@overload
def reads(view: View) -> View: ...
@overload
def reads(*, is_polled: bool = False) -> Callable[[View], View]: ...
def reads(view: View | None = None, *, is_polled: bool = False) -> View | Callable[[View], View]:
    """Declare that an endpoint changes nothing; `is_polled` when pages call it again and again by themselves."""
    mark = _marking(Declaration(Effect.READ, is_polled=is_polled))
    return mark if view is None else mark(view)


def writes(view: View) -> View:
    """Declare that an endpoint changes something: refused unless the impersonation was approved for writing."""
    return _marking(Declaration(Effect.WRITE))(view)


def never(operation: str) -> Callable[[View], View]:
    """Declare that an endpoint does what staff may never do for a member, such as `password.change`.

    Shape: a word of NEVER_ALLOWED, or `noun.verb` for something of one's own. Raises: ValueError for anything else.
    """
    if not _OPERATION.fullmatch(operation):
        message = f"{operation!r} is not written as noun.verb."
        raise ValueError(message)
    return _marking(Declaration(Effect.NEVER, operation))


def declaration_of(view: object) -> Declaration | None:
    """Return what a view declares, through decorators that keep its attributes; None when it declares nothing."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Declaration) else None


def _marking(declaration: Declaration) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if declaration_of(view) not in {None, declaration}:
            message = f"{getattr(view, '__name__', view)!r} declares two effects; split it, or say which one it has."
            raise ValueError(message)
        setattr(view, _MARK, declaration)
        return view

    return mark
