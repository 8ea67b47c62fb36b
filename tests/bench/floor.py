"""The floor: a bare Flask app with autoescape, a signed cookie and the ideal raw SQL on the very same data."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, redirect, render_template, request, session
from gunicorn.app.base import BaseApplication
from jinja2 import DictLoader
from werkzeug.wrappers import Response

from console.adapters.fingerprints import HmacFingerprints
from tests.bench.floor_finance import add_finance
from tests.bench.rows import Row, Rows, opened_rows

THREADS = 2
_SECRET = "the floor signs its cookie with this, as any app would"
_PAGE = """<!doctype html><title>{{ title }}</title><h1>{{ title }}</h1>
{% for heading, rows in tables %}<h2>{{ heading }}</h2><table>{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>{% endfor %}
{% if older %}<a href="?before={{ older }}">older</a>{% endif %}"""
_FORM = (
    """<!doctype html><title>Note</title><form method="post"><textarea name="text"></textarea><button>Add</button>"""
)

_TENANT = "id, slug, name, region, plan, status, tier, plane"
_KEYED = f"""
SELECT {_TENANT} FROM directory_tenant
WHERE id IN (SELECT tenant_id FROM directory_key WHERE kind = :kind AND value = :value)
ORDER BY name_folded, id LIMIT 51
"""
_FRAGMENT = {
    "sqlite": f"""
SELECT {_TENANT} FROM directory_tenant
WHERE ordinal IN (SELECT rowid FROM directory_name WHERE directory_name MATCH :quoted LIMIT 2000)
ORDER BY name_folded, id LIMIT 51
""",
    "postgres": f"""
SELECT {_TENANT} FROM directory_tenant WHERE ordinal IN (
  SELECT ordinal FROM directory_tenant
  WHERE sallyport_grams(name_folded) @> sallyport_grams(:value) AND strpos(name_folded, :value) > 0 LIMIT 2000
) ORDER BY name_folded, id LIMIT 51
""",
}
_ENTRY = {
    "sqlite": "id, uid, ts_us, action, outcome, body ->> '$.actor.name', body ->> '$.tenant.name'",
    "postgres": "id, uid, ts_us, action, outcome, body::json #>> '{actor,name}', body::json #>> '{tenant,name}'",
}
# Ids grow with time, so two probes of the time index turn a range of time into a range of ids.
_BETWEEN = """
id >= (SELECT id FROM audit_event WHERE ts_us >= :since ORDER BY ts_us, id LIMIT 1)
AND id <= (SELECT id FROM audit_event WHERE ts_us < :until ORDER BY ts_us DESC, id DESC LIMIT 1)
"""
_LINE = """
SELECT head.id, revision.action, revision.requester_name, tenant.name, head.approve_by, revision.digest
FROM request AS head
JOIN request_revision AS revision ON revision.request = head.id AND revision.revision = head.revision
LEFT JOIN directory_tenant AS tenant ON tenant.id = head.tenant
"""
_WAITING = f"""{_LINE} WHERE head.state = 'pending' AND head.approve_by > :now AND EXISTS (
  SELECT 1 FROM request_seat AS seat JOIN staff_role AS held ON held.role = seat.role
  WHERE seat.request = head.id AND seat.revision = head.revision AND held.staff = :staff
) ORDER BY head.approve_by, head.id LIMIT :most"""
_NOTE = "INSERT INTO floor_note (tenant_id, author, text, at) VALUES (:tenant, :author, :text, :at)"
_AUDIT = """
INSERT INTO floor_audit (ts_us, tenant, actor, action, outcome, body)
VALUES (:at, :tenant, :author, 'tenant.add_note', 'success', :text)
"""
Tables = list[tuple[str, list[Row]]]


def create_app(address: str, fingerprint_key: str) -> Flask:
    """Return the floor's app over a database."""
    app = Flask("floor")
    app.secret_key = _SECRET
    app.jinja_loader = DictLoader({"page.html": _PAGE, "form.html": _FORM})
    rows, fingerprints = opened_rows(address), HmacFingerprints(fingerprint_key)
    _search(app, rows, fingerprints)
    _read(app, rows)
    add_finance(app, rows, _ENTRY[rows.kind], _page)
    _write(app, rows)
    return app


def _page(title: str, tables: Tables, older: object = None) -> str:
    return render_template("page.html", title=title, tables=tables, older=older)


def _search(app: Flask, rows: Rows, fingerprints: HmacFingerprints) -> None:
    @app.get("/search")
    def search() -> str:
        kind, value = request.args["kind"], request.args["q"].casefold()
        if kind == "name":
            found = rows.all(_FRAGMENT[rows.kind], {"value": value, "quoted": f'"{value}"'})
        elif kind in {"id", "slug"}:
            found = rows.all(f"SELECT {_TENANT} FROM directory_tenant WHERE {kind} = :value", {"value": value})
        else:
            wanted = fingerprints.of(value) if kind == "member_email" else value
            found = rows.all(_KEYED, {"kind": kind, "value": wanted})
        return _page("Search", [("Tenants", found[:50])])


def _read(app: Flask, rows: Rows) -> None:
    entry = _ENTRY[rows.kind]

    @app.get("/enter")
    def enter() -> str:
        session["staff"] = request.args["staff"]
        return "ok"

    @app.get("/landing")
    def landing() -> str:
        who = {"staff": session["staff"], "now": time.time_ns() // 1_000, "most": 8}
        leases = rows.all(
            "SELECT tenant.name, tenant.slug, lease.reason_code, lease.reason_reference, lease.not_after FROM lease "
            "JOIN directory_tenant AS tenant ON tenant.id = lease.tenant "
            "WHERE lease.staff = :staff AND lease.ended_at IS NULL",
            who,
        )
        waiting = rows.all(_WAITING, who)
        mine = rows.all(f"{_LINE} WHERE head.requester = :staff ORDER BY head.filed_at DESC, head.id DESC LIMIT 8", who)
        told = "SELECT sentence, at FROM notice WHERE to_staff = :staff AND read_at IS NULL ORDER BY at DESC LIMIT 8"
        return _page("Home", [("Open", leases), ("Waiting", waiting), ("Mine", mine), ("News", rows.all(told, who))])

    @app.get("/inbox")
    def inbox() -> str:
        who = {"staff": session["staff"], "now": time.time_ns() // 1_000, "most": 50}
        return _page("Inbox", [("Waiting", rows.all(_WAITING, who))])

    @app.get("/t/<slug>")
    def overview(slug: str) -> str:
        tenant = rows.all(f"SELECT {_TENANT} FROM directory_tenant WHERE slug = :slug", {"slug": slug})
        who = {"tenant": tenant[0][0]}
        return _page(tenant[0][2], [("Tenant", tenant), *_about(rows, entry, who)])

    @app.get("/deliveries")
    def deliveries() -> str:
        asked = {name: request.args.get(name, "") for name in ("tenant", "state", "endpoint", "event_type", "before")}
        wanted = ["tenant_id = :tenant"]
        wanted += [f"{name} = :{name}" for name in ("endpoint", "event_type") if asked[name]]
        if asked["state"]:
            wanted.append("state = :state AND state <> 'delivered'")  # so that the partial index may serve it
        if asked["before"]:
            edge = "SELECT created_at, id FROM plane_webhook_delivery WHERE tenant_id = :tenant AND id = :before"
            wanted.append(f"(created_at, id) < ({edge})")
        found = rows.all(
            f"SELECT id, message, endpoint, event_type, state, last_status, created_at FROM plane_webhook_delivery "
            f"WHERE {' AND '.join(wanted)} ORDER BY created_at DESC, id DESC LIMIT 41",
            asked,
        )
        return _page("Deliveries", [("Deliveries", found[:40])], older=found[-1][0] if found else None)

    @app.get("/trail")
    def trail() -> str:
        asked = {name: request.args.get(name, type=int) for name in ("since", "until", "before")}
        wanted = ["tenant = :tenant", "id < :before"] if asked["before"] else ["tenant = :tenant"]
        if asked["since"]:
            wanted.append(_BETWEEN)
        found = rows.all(
            f"SELECT {entry} FROM audit_event WHERE {' AND '.join(wanted)} ORDER BY id DESC LIMIT 51",
            {**asked, "tenant": request.args["tenant"]},
        )
        return _page("Trail", [("Entries", found[:50])], older=found[-1][0] if found else None)


def _about(rows: Rows, entry: str, who: dict[str, Any]) -> Tables:
    newest = {
        "Account": "name, status, country, created_at FROM plane_account WHERE tenant_id = :tenant",
        "Subscription": "plan_key, status, seats, amount_minor, renews_at FROM plane_subscription "
        "WHERE tenant_id = :tenant",
        "Invoices": "number, status, provider_status, amount_minor, currency, issued_at, due_at FROM plane_invoice "
        "WHERE tenant_id = :tenant ORDER BY issued_at DESC, number DESC LIMIT 20",
        "Deliveries": "message, endpoint, event_type, state, last_status, created_at FROM plane_webhook_delivery "
        "WHERE tenant_id = :tenant ORDER BY created_at DESC, id DESC LIMIT 15",
        "Entries": f"{entry} FROM audit_event WHERE tenant = :tenant ORDER BY id DESC LIMIT 20",
    }
    return [(heading, rows.all(f"SELECT {rest}", who)) for heading, rest in newest.items()]


def _write(app: Flask, rows: Rows) -> None:
    @app.get("/notes")
    def form() -> str:
        return render_template("form.html")

    @app.post("/notes")
    def add() -> Response:
        values = {
            "tenant": request.args["tenant"],
            "author": session["staff"],
            "text": request.form["text"],
            "at": time.time_ns() // 1_000,
        }
        rows.write([(_NOTE, values), (_AUDIT, values)])
        return redirect("/notes", 303)

    @app.post("/work")
    def work() -> str:
        """Run so many reads by primary key and so many inserts, in so many durable transactions."""
        asked = {name: int(request.form[name]) for name in ("reads", "writes", "commits")}
        for _ in range(asked["reads"]):
            rows.all(f"SELECT {_TENANT} FROM directory_tenant WHERE slug = :slug", {"slug": "acme-robotics"})
        values = {"tenant": "ten_x", "author": "stf_x", "text": "x" * 1_000, "at": 1}
        for number in range(asked["commits"]):
            mine = asked["writes"] // asked["commits"] + (number < asked["writes"] % asked["commits"])
            rows.write([(_AUDIT, values)] * mine)
        return "done"


class FloorServer(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn as the console sets it, with the floor in it."""

    def __init__(self, make: Callable[[], Flask], port: int) -> None:
        """Keep how to make the app inside the serving process."""
        self._make = make
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        """Set the same options as the console's server."""
        options = {
            "bind": f"127.0.0.1:{self._port}",
            "workers": 1,
            "threads": THREADS,
            "worker_class": "gthread",
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the app."""
        return self._make()


def main() -> None:
    """Serve the floor until a signal ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--fingerprint-key", required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    FloorServer(lambda: create_app(chosen.address, chosen.fingerprint_key), chosen.port).run()


if __name__ == "__main__":
    main()
