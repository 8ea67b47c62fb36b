"""Who is here: a member with their own session, or a staff member who acts for one and is never taken for another."""

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from hashlib import scrypt
from typing import Any, TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from examples.product.store import Row, Store, now_text, one
from sallyport_kit import acting, counts_as_usage

View = TypeVar("View", bound=Callable[..., Any])
_COST = {"n": 2**14, "r": 8, "p": 1}


def hashed(password: str, salt: bytes | None = None) -> str:
    """Return what is kept of a password."""
    salt = salt or secrets.token_bytes(16)
    return f"{salt.hex()}:{scrypt(password.encode(), salt=salt, **_COST).hex()}"


def matches(password: str, kept: str) -> bool:
    """Return whether a password is the kept one."""
    return hmac.compare_digest(hashed(password, bytes.fromhex(kept.partition(":")[0])), kept)


def connection() -> Any:  # noqa: ANN401  flask.g is untyped
    """Return this request's connection."""
    if "connection" not in g:
        store: Store = current_app.extensions["store"]
        g.connection = store.open()
    return g.connection


def member() -> Row | None:
    """Return the member for whom this request runs.

    While staff act, that is the member of the impersonation and nobody else, whatever session this browser has.
    """
    who = acting()
    if who is not None:
        return _member(who.tenant, who.subject)
    key = session.get("member")
    return _member(*key) if key else None


def members_only(view: View) -> View:
    """Let members in, and note their visit: staff work is no visit and no use."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  any view
        found = member()
        if found is None:
            if acting() is not None:
                abort(404, "This member is not here any more.")
            return redirect(url_for("door.sign_in"))
        g.member = found
        g.tenant = one(connection(), "SELECT * FROM tenant WHERE id = ?", found["tenant"])
        if counts_as_usage():
            _count_use(found)
        if request.method == "POST" and not _has_token():
            abort(400, "This form is too old. Load the page again.")
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]  # wraps keeps the type


def author() -> str:
    """Return who stands beside a change: the member, and the staff member who made it for them."""
    who, name = acting(), str(g.member["name"])
    return name if who is None else f"{name}, by {who.staff_name}"


def form_token() -> str:
    """Return the token that every form of this browser carries."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(24)
    token: str = session["form_token"]
    return token


def close(_fault: BaseException | None) -> None:
    """Close this request's connection."""
    found = g.pop("connection", None)
    if found is not None:
        found.close()


def to(endpoint: str, **places: Any) -> Response:  # noqa: ANN401  as url_for takes them
    """Return the redirect after a change."""
    return redirect(url_for(endpoint, **places), 303)


def _has_token() -> bool:
    sent = request.form.get("token") or request.headers.get("X-Form-Token", "")
    return hmac.compare_digest(sent.encode(), form_token().encode())


def _member(tenant: str, key: str) -> Row | None:
    return one(connection(), "SELECT * FROM member WHERE tenant = ? AND id = ? AND is_active", tenant, key)


def _count_use(found: Row) -> None:
    connection().execute(
        "UPDATE member SET seen_at = ? WHERE tenant = ? AND id = ?", (now_text(), found["tenant"], found["id"])
    )
    connection().execute(
        "INSERT INTO use_of_day VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET views = views + 1",
        (found["tenant"], now_text()[:10]),
    )
