"""How Stripe is asked, without the library that asks: a start does not wait for it, and may do without it."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

from console.adapters.stripe.reading import Document, rows
from console.domain.errors import OutsideError

Params: TypeAlias = Mapping[str, Any]
PAGE = 100
_NOT_INSTALLED = "The library stripe is not installed: pip install sallyport[stripe]"


class Calls(Protocol):
    """Asks Stripe in one API version. Everything raises OutsideError, `permanent` where Stripe refused."""

    @property
    def version(self) -> str:
        """Return the API version in which Stripe answers."""
        ...

    def found(self, path: str, params: Params | None = None) -> Document | None:
        """Return what stands at an address, or None where nothing does."""
        ...

    def post(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for a change, under an idempotency key."""
        ...

    def delete(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for an end, under an idempotency key."""
        ...


class LazyCalls:
    """Calls that are made ready at the first question."""

    def __init__(self, make: Callable[[], Calls], *, version: str) -> None:
        self.version = version
        self._make = make
        self._made: Calls | None = None
        self._lock = Lock()

    def found(self, path: str, params: Params | None = None) -> Document | None:
        """Return what stands at an address, or None where nothing does. Raises: OutsideError."""
        return self._ready().found(path, params)

    def post(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for a change. Raises: OutsideError."""
        return self._ready().post(path, params, key=key)

    def delete(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for an end. Raises: OutsideError."""
        return self._ready().delete(path, params, key=key)

    def _ready(self) -> Calls:
        with self._lock:
            if self._made is None:
                try:
                    self._made = self._make()
                except ModuleNotFoundError as missing:
                    raise OutsideError(_NOT_INSTALLED, permanent=True) from missing
            return self._made


def placed(path: str, thing: str, *verbs: str) -> str:
    """Return the address of one object; whatever an id holds, it stays one part of the address."""
    return "/".join((path, quote(thing, safe=""), *verbs))


def listed(calls: Calls, path: str, params: Params) -> Document:
    """Return one page of a list. Raises: OutsideError; a list that is none counts as a garbled answer."""
    page = calls.found(path, params)
    if page is None or not isinstance(page.get("data"), list):
        raise OutsideError("Stripe answered with something that is no list.", permanent=False)
    return page


def every(calls: Calls, path: str, params: Params) -> Iterator[Document]:
    """Yield a whole list, page after page. Raises: OutsideError."""
    cursor: dict[str, str] = {}
    while True:
        page = listed(calls, path, {"limit": PAGE, **params, **cursor})
        found = rows(page, "data")
        yield from found
        if not page.get("has_more") or not found:
            return
        cursor = {"starting_after": str(found[-1].get("id"))}
