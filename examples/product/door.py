"""Members' own way in and out, which has nothing to do with staff."""

from flask import Blueprint, Response, current_app, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from examples.product.people import connection, hashed, matches, to
from examples.product.store import one
from sallyport_kit import reads, writes

bp = Blueprint("door", __name__)
_NOBODY = hashed("nobody has this password")


@bp.get("/sign-in")
@reads
def sign_in() -> str:
    """Show the form, and in the demo whom one may be."""
    return _form("")


@bp.post("/sign-in")
@writes
def sign_in_by_password() -> AnyResponse:
    """Begin a member's session."""
    email, password = request.form.get("email", "").strip().lower(), request.form.get("password", "")
    found = one(connection(), "SELECT * FROM member WHERE email = ? AND is_active", email)
    if not matches(password, found["secret"] if found else _NOBODY) or found is None:
        return Response(_form("E-mail or password is wrong."), 401)
    session.clear()
    session["member"] = [found["tenant"], found["id"]]
    return to("pages.home")


@bp.post("/sign-out")
@writes
def sign_out() -> AnyResponse:
    """End a member's session."""
    session.clear()
    return to("door.sign_in")


def _form(fault: str) -> str:
    shown = one(
        connection(),
        "SELECT member.email, tenant.name FROM member JOIN tenant ON tenant.id = member.tenant"
        " WHERE role = 'owner' ORDER BY member.tenant LIMIT 1",
    )
    return render_template("sign_in.html", fault=fault, shown=shown, password=current_app.config["DEMO_PASSWORD"])
