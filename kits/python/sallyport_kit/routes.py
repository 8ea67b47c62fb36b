"""A list of routes for products without a router that can be asked: what is not on it is refused."""

import re
from collections.abc import Mapping
from typing import Any

from sallyport_kit.effects import Declaration, Effect, Found, declaration_of

_PLACE = re.compile(r"<(path:)?([a-z_]+)>")
_STRICTNESS = (Effect.READ, Effect.WRITE, Effect.NEVER)


class RouteTable:
    """Finds declarations by method and path.

    Shape: keys such as `GET /members/<id>` or `POST /files/<path:name>`; values are views or declarations. An address
    without places wins over one with places, and of several with places the strictest effect counts, because only the
    product knows which of them it takes first; nothing is folded, decoded or completed, so that an address written
    otherwise (case, slash, encoding) is on the list only when it is written there.
    """

    def __init__(self, routes: Mapping[str, object]) -> None:
        """Read the list once. Raises: ValueError for a key without method, or a view that declares nothing."""
        self._exact: dict[tuple[str, str], Found] = {}
        self._shaped: list[tuple[str, re.Pattern[str], Found]] = []
        for key, value in routes.items():
            method, _, path = key.partition(" ")
            declaration = value if isinstance(value, Declaration) else declaration_of(value)
            if not path.startswith("/") or declaration is None:
                message = f"{key!r} needs a method, a path and a declared effect."
                raise ValueError(message)
            found = Found(path, declaration)
            if _PLACE.search(path):
                self._shaped.append((method, _pattern(path), found))
            else:
                self._exact[method, path] = found

    def find(self, method: str, path: str) -> Found | None:
        """Return where a request leads; None when it is not on the list. HEAD counts as GET."""
        method = "GET" if method == "HEAD" else method
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        fitting = (found for verb, shape, found in self._shaped if verb == method and shape.fullmatch(path))
        return max(fitting, key=_strictness, default=None)

    def in_environ(self, environ: Mapping[str, Any]) -> Found | None:
        """Find the route of a WSGI request."""
        return self.find(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))

    def in_scope(self, scope: Mapping[str, Any]) -> Found | None:
        """Find the route of an ASGI request."""
        return self.find(scope.get("method", ""), scope["path"])


def _strictness(found: Found) -> int:
    return 0 if found.declaration is None else _STRICTNESS.index(found.declaration.effect)


def _pattern(path: str) -> re.Pattern[str]:
    written, end = "", 0
    for place in _PLACE.finditer(path):
        written += re.escape(path[end : place.start()]) + (".+" if place[1] else "[^/]+")
        end = place.end()
    return re.compile(written + re.escape(path[end:]), re.DOTALL)
