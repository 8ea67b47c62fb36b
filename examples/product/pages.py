"""What members work with: projects, people, bills and files; each endpoint says what it does, whatever its verb is."""

import csv
import io
from pathlib import Path

from flask import Blueprint, Response, abort, g, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from examples.product.people import author, connection, members_only, to
from examples.product.store import Row, many, new_id, now_text, one
from sallyport_kit import reads, writes

bp = Blueprint("pages", __name__)
_LONGEST_NAME = 80
_HTMX = Path(__file__).parents[2] / "static" / "vendor" / "htmx.min.js"


@bp.get("/")
@reads
@members_only
def home() -> str:
    """Show how the tenant is doing."""
    key = g.tenant["id"]
    counts = {
        "projects": one(connection(), "SELECT count(*) FROM project WHERE tenant = ?", key),
        "members": one(connection(), "SELECT count(*) FROM member WHERE tenant = ? AND is_active", key),
        "page views": one(connection(), "SELECT coalesce(sum(views), 0) FROM use_of_day WHERE tenant = ?", key),
    }
    return render_template("home.html", counts={name: row[0] if row else 0 for name, row in counts.items()})


@bp.get("/members")
@reads
@members_only
def members() -> str:
    """Show who belongs to the tenant."""
    rows = many(connection(), "SELECT * FROM member WHERE tenant = ? ORDER BY name LIMIT 200", g.tenant["id"])
    return render_template("members.html", members=rows)


@bp.post("/members/<key>/role")
@writes
@members_only
def change_role(key: str) -> AnyResponse:
    """Give a member another role."""
    role = request.form.get("role", "")
    if role not in {"owner", "admin", "member", "billing", "viewer"}:
        abort(422, "There is no such role.")
    connection().execute("UPDATE member SET role = ? WHERE tenant = ? AND id = ?", (role, g.tenant["id"], key))
    return to("pages.members")


@bp.get("/projects")
@reads
@members_only
def projects() -> str:
    """Show the projects; htmx gets the rows alone."""
    words = request.args.get("words", "")
    page = "project_rows.html" if request.headers.get("HX-Request") == "true" else "projects.html"
    return render_template(page, projects=_projects(words), words=words)


@bp.post("/projects/search")
@reads
@members_only
def search_projects() -> str:
    """Find projects by words that are too long for an address."""
    words = request.form.get("words", "")
    return render_template("projects.html", projects=_projects(words), words=words)


@bp.post("/projects")
@writes
@members_only
def add_project() -> AnyResponse:
    """Begin a project."""
    row = (new_id("prj"), g.tenant["id"], _name(), "open", now_text(), author())
    connection().execute("INSERT INTO project VALUES (?, ?, ?, ?, ?, ?)", row)
    return to("pages.projects")


@bp.get("/projects/<key>")
@reads
@members_only
def project(key: str) -> str:
    """Show one project."""
    return render_template("project.html", project=_project(key))


@bp.post("/projects/<key>/name")
@writes
@members_only
def rename_project(key: str) -> AnyResponse:
    """Give a project another name."""
    found, name = _project(key), _name()
    connection().execute(
        "UPDATE project SET name = ?, updated_at = ?, updated_by = ? WHERE tenant = ? AND id = ?",
        (name, now_text(), author(), g.tenant["id"], found["id"]),
    )
    return to("pages.project", key=key)


@bp.get("/projects/<key>/close")
@writes
@members_only
def close_project(key: str) -> AnyResponse:
    """Close a project by the link of an e-mail: a GET that writes, as real products have them."""
    found = _project(key)
    connection().execute(
        "UPDATE project SET state = 'closed' WHERE tenant = ? AND id = ?", (g.tenant["id"], found["id"])
    )
    return to("pages.project", key=key)


@bp.get("/billing")
@reads
@members_only
def billing() -> str:
    """Show plan and invoices."""
    return render_template("billing.html", invoices=_invoices())


@bp.get("/billing/invoices.csv")
@reads
@members_only
def invoices_file() -> Response:
    """Download the list of invoices."""
    file = io.StringIO()
    written = csv.writer(file)
    written.writerow(("number", "state", "amount_minor", "currency", "issued_on"))
    written.writerows(tuple(row)[:1] + tuple(row)[2:] for row in _invoices())
    headers = {"Content-Disposition": 'attachment; filename="invoices.csv"'}
    return Response(file.getvalue(), 200, {"Content-Type": "text/csv; charset=utf-8", **headers})


@bp.get("/pulse")
@reads(is_polled=True)
@members_only
def pulse() -> dict[str, int]:
    """Tell a page that asks by itself how many projects are open."""
    found = one(connection(), "SELECT count(*) FROM project WHERE tenant = ? AND state = 'open'", g.tenant["id"])
    return {"open": found[0] if found else 0}


@bp.get("/assets/htmx.js")
@reads
def htmx() -> AnyResponse:
    """Return the console's own copy of htmx, which need not lie here twice."""
    return send_file(_HTMX, mimetype="text/javascript", max_age=3_600)


def _projects(words: str) -> list[Row]:
    pattern = "%" + words.replace("%", "").replace("_", "") + "%"
    sql = "SELECT * FROM project WHERE tenant = ? AND name LIKE ? ORDER BY name LIMIT 200"
    return list(many(connection(), sql, g.tenant["id"], pattern))


def _project(key: str) -> Row:
    found = one(connection(), "SELECT * FROM project WHERE tenant = ? AND id = ?", g.tenant["id"], key)
    if found is None:
        abort(404, "There is no such project.")
    return found


def _invoices() -> list[Row]:
    sql = "SELECT * FROM invoice WHERE tenant = ? ORDER BY issued_on DESC LIMIT 200"
    return list(many(connection(), sql, g.tenant["id"]))


def _name() -> str:
    name = request.form.get("name", "").strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        abort(422, "A name has 1 to 80 letters.")
    return name
