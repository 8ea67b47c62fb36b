"""Where a person may be sent next: only pages of this console, never another place."""

import re
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

HOME = "/"
_LONGEST = 1_000
_ELSEWHERE = ("door.", "static", "system.", "account.step_up")


def safe_next(wanted: str | None) -> str:
    """Return a path of this console that answers GET, or the home page.

    1. a plain, short path. 2. no scheme, host or trick of spelling. 3. a page that exists and is behind the gate.
    """
    text = wanted or ""
    # 1
    if not text.startswith("/") or len(text) > _LONGEST or not text.isprintable() or not text.isascii():
        return HOME
    # 2
    if text.startswith("//") or "\\" in text or " " in text:
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc:
        return HOME
    # 3
    endpoint = endpoint_of(parts.path)
    if endpoint is None or endpoint.startswith(_ELSEWHERE):
        return HOME
    return parts._replace(fragment="").geturl()


def endpoint_of(path: str) -> str | None:
    """Return which endpoint answers GET on a path, or None."""
    try:
        found: str = current_app.url_map.bind("localhost").match(path, method="GET")[0]
    except HTTPException:
        return None
    return found


def path_of(endpoint: str, **values: object) -> str:
    """Return the path of an endpoint without looking at the request, whose Host may be the very thing refused.

    A page asks for a hundred: how each is written is worked out once, and plain values are put in.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  werkzeug's word for "the thing itself"
    known: _Patterns = app.extensions.setdefault(_PATTERNS, {})
    given = {name: str(value) for name, value in values.items() if value is not None} if values else _NOTHING
    pieces = known.get((endpoint, *given))
    for value in given.values():
        if not _is_plain(value):
            return str(app.url_map.bind("localhost").build(endpoint, given))
    if pieces is None:
        pieces = known[endpoint, *given] = _pieces(app.url_map, endpoint, tuple(given))
    return "".join([given[piece] if is_value else piece for is_value, piece in pieces])


def _pieces(urls: Map, endpoint: str, names: tuple[str, ...]) -> list[tuple[bool, str]]:
    """Return an address cut where its values stand. Shape: (True, a name) or (False, what stands between)."""
    marks = {f"Place{number}Of{name}": name for number, name in enumerate(names)}
    whole = urls.bind("localhost").build(endpoint, {name: mark for mark, name in marks.items()})
    parts = re.split(f"({'|'.join(marks)})", whole) if marks else [whole]
    return [(part in marks, marks.get(part, part)) for part in parts]


_is_plain = re.compile(r"[A-Za-z0-9_.~-]+", re.ASCII).fullmatch  # spelt the same in an address, wherever it stands
_NOTHING: dict[str, str] = {}
_PATTERNS = "sallyport_paths"
_Patterns = dict[tuple[str, ...], list[tuple[bool, str]]]
