"""Where a person may be sent next: only pages of this console, never another place."""

import re
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

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
    given = {name: str(value) for name, value in values.items() if value is not None}
    urls = current_app.url_map
    if not all(_PLAIN.fullmatch(value) for value in given.values()):
        return urls.bind("localhost").build(endpoint, given)
    known = _patterns.setdefault(urls, {})
    pattern = known.get((endpoint, *given))
    if pattern is None:
        marks = {name: f"Place{number}Of{name}" for number, name in enumerate(given)}
        pattern = known[endpoint, *given] = urls.bind("localhost").build(endpoint, marks)
    for number, (name, value) in enumerate(given.items()):
        pattern = pattern.replace(f"Place{number}Of{name}", value)
    return pattern


_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # spelt the same in an address, wherever it stands
_patterns: WeakKeyDictionary[Map, dict[tuple[str, ...], str]] = WeakKeyDictionary()
