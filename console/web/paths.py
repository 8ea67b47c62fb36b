"""Where a person may be sent next: only pages of this console, never another place."""

from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

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


def path_of(endpoint: str, **values: str) -> str:
    """Return the path of an endpoint without looking at the request, whose Host may be the very thing refused."""
    return current_app.url_map.bind("localhost").build(endpoint, values)
