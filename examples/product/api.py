"""The JSON that Fieldnote's own app reads and writes."""

from flask import Blueprint, abort, g, request

from examples.product.people import author, connection, form_token, members_only
from examples.product.store import many, new_id, now_text
from sallyport_kit import reads, writes

bp = Blueprint("api", __name__, url_prefix="/api")
Json = dict[str, object]


@bp.get("/members")
@reads
@members_only
def members() -> Json:
    """Return the members of the tenant."""
    sql = "SELECT id, name, email, role FROM member WHERE tenant = ? AND is_active ORDER BY name LIMIT 200"
    return {"members": [dict(row) for row in many(connection(), sql, g.tenant["id"])], "form_token": form_token()}


@bp.get("/projects")
@reads
@members_only
def projects() -> Json:
    """Return the projects of the tenant."""
    sql = "SELECT id, name, state, updated_at FROM project WHERE tenant = ? ORDER BY name LIMIT 200"
    return {"projects": [dict(row) for row in many(connection(), sql, g.tenant["id"])]}


@bp.post("/projects")
@writes
@members_only
def add_project() -> tuple[Json, int]:
    """Begin a project."""
    name = (request.get_json(silent=True) or {}).get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 80:
        abort(422, "A name has 1 to 80 letters.")
    key = new_id("prj")
    row = (key, g.tenant["id"], name, "open", now_text(), author())
    connection().execute("INSERT INTO project VALUES (?, ?, ?, ?, ?, ?)", row)
    return {"id": key, "name": name}, 201
