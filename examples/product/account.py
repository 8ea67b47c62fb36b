"""What belongs to the member alone: no staff member may ever do any of it for them, in no mode and with no approval."""

from contextlib import suppress

from flask import Blueprint, Response, abort, current_app, flash, g, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from examples.product.people import connection, hashed, matches, members_only, to
from examples.product.store import many, new_id, now_text
from sallyport_kit import ConsoleSilentError, never, reads
from sallyport_kit.flask import Sallyport

bp = Blueprint("account", __name__, url_prefix="/settings")
_SHORTEST_PASSWORD = 12


@bp.get("")
@reads
@members_only
def settings() -> str:
    """Show what a member may change about themselves and their company."""
    keys = many(connection(), "SELECT * FROM api_key WHERE tenant = ?", g.tenant["id"])
    return render_template("settings.html", keys=keys)


@bp.post("/password")
@never("password.change")
@members_only
def change_password() -> AnyResponse:
    """Change the password, and tell the console, so that whoever acts for this member stops."""
    if not matches(request.form.get("password", ""), g.member["secret"]):
        abort(422, "That is not the present password.")
    new = request.form.get("new_password", "")
    if len(new) < _SHORTEST_PASSWORD:
        abort(422, "A new password has at least 12 letters.")
    _set("secret", hashed(new))
    kit: Sallyport = current_app.extensions["sallyport"]
    with suppress(ConsoleSilentError):
        kit.kit.tell_password_reset(event=new_id("evt"), tenant=g.tenant["id"], member=g.member["id"])
    return _done("The password is changed.")


@bp.post("/email")
@never("email.change")
@members_only
def change_email() -> AnyResponse:
    """Change the address."""
    email = request.form.get("email", "").strip().lower()
    if "@" not in email:
        abort(422, "That is no e-mail address.")
    _set("email", email)
    return _done("The address is changed.")


@bp.post("/mfa")
@never("mfa.change")
@members_only
def change_mfa() -> AnyResponse:
    """Switch the second factor on or off."""
    _set("has_mfa", 1 - int(g.member["has_mfa"]))
    return _done("The second factor is changed.")


@bp.post("/api-keys")
@never("api_key.create")
@members_only
def create_api_key() -> AnyResponse:
    """Make a key for programs."""
    name = request.form.get("name", "").strip()[:80] or "Unnamed"
    connection().execute("INSERT INTO api_key VALUES (?, ?, ?)", (new_id("key"), g.tenant["id"], name))
    return _done("The key is made.")


@bp.post("/connections")
@never("oauth.grant")
@members_only
def connect() -> AnyResponse:
    """Let another application in."""
    name = request.form.get("application", "").strip()[:80] or "Unnamed"
    connection().execute("INSERT INTO connection VALUES (?, ?, ?)", (new_id("con"), g.tenant["id"], name))
    return _done("The application is connected.")


@bp.post("/bank")
@never("bank.change")
@members_only
def change_bank() -> AnyResponse:
    """Change the account from which is paid."""
    _set_iban()
    return _done("The bank account is changed.")


@bp.post("/payout")
@never("payout.change")
@members_only
def change_payout() -> AnyResponse:
    """Change the account to which is paid; Fieldnote keeps one account for both."""
    _set_iban()
    return _done("The pay-out is changed.")


@bp.post("/invitations")
@never("member.invite")
@members_only
def invite() -> AnyResponse:
    """Invite somebody to the tenant."""
    email = request.form.get("email", "").strip()[:200]
    connection().execute("INSERT INTO invitation VALUES (?, ?, ?)", (new_id("inv"), g.tenant["id"], email))
    return _done("The invitation is on its way.")


@bp.post("/terms")
@never("terms.accept")
@members_only
def accept_terms() -> AnyResponse:
    """Accept the terms for the company."""
    connection().execute("UPDATE tenant SET terms_at = ? WHERE id = ?", (now_text(), g.tenant["id"]))
    return _done("The terms are accepted.")


@bp.get("/export")
@never("data.export")
@members_only
def export() -> Response:
    """Download everything: a GET, and still not for staff."""
    rows = many(connection(), "SELECT name, email, role FROM member WHERE tenant = ?", g.tenant["id"])
    text = "".join(f"{row['name']}\t{row['email']}\t{row['role']}\n" for row in rows)
    return Response(text, 200, {"Content-Type": "text/plain", "Content-Disposition": 'attachment; filename="all.txt"'})


@bp.post("/deletion")
@never("account.delete")
@members_only
def delete_account() -> AnyResponse:
    """Take the member's account away, and tell the console."""
    _set("is_active", 0)
    kit: Sallyport = current_app.extensions["sallyport"]
    with suppress(ConsoleSilentError):
        kit.kit.tell_member_deleted(event=new_id("evt"), tenant=g.tenant["id"], member=g.member["id"])
    return to("door.sign_in")


_COLUMNS = {
    "secret": "UPDATE member SET secret = ? WHERE tenant = ? AND id = ?",
    "email": "UPDATE member SET email = ? WHERE tenant = ? AND id = ?",
    "has_mfa": "UPDATE member SET has_mfa = ? WHERE tenant = ? AND id = ?",
    "is_active": "UPDATE member SET is_active = ? WHERE tenant = ? AND id = ?",
}


def _set_iban() -> None:
    iban = request.form.get("iban", "").strip()[:34]
    connection().execute("UPDATE tenant SET iban = ? WHERE id = ?", (iban, g.tenant["id"]))


def _set(column: str, value: object) -> None:
    connection().execute(_COLUMNS[column], (value, g.tenant["id"], g.member["id"]))


def _done(sentence: str) -> AnyResponse:
    flash(sentence)
    return to("account.settings")
