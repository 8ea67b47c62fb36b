"""The floor of finance's pages: the same rows by raw SQL, in a bare view each."""

from collections.abc import Callable
from typing import Any

from flask import Flask, request

from tests.bench.rows import Row, Rows

Page = Callable[[str, list[tuple[str, list[Row]]]], str]
_RUNS = """
SELECT run.id, run.scope, run.state, run.queued_at, run.counts, run.found, run.began_at, run.finished_at, staff.name
FROM reconciliation AS run LEFT JOIN staff ON staff.id = run.started_by
ORDER BY run.queued_at DESC, run.id DESC LIMIT 21
"""
_STANDING = """
SELECT kind, currency, count(*), sum(at_risk_minor) FROM finding
WHERE finding.state IN ('open', 'in_progress') GROUP BY kind, currency
"""
_OPEN_RUN = """
SELECT id FROM reconciliation WHERE scope = 'fleet'
AND reconciliation.state IN ('queued', 'pulling', 'comparing', 'settling')
"""
_FINDING = "finding.id, finding.kind, finding.state, at_risk_minor, currency, direction, first_seen_at, times_reopened"
_QUEUE = f"""
SELECT {_FINDING}, tenant.name, tenant.slug, staff.name
FROM finding LEFT JOIN directory_tenant AS tenant ON tenant.id = finding.tenant
LEFT JOIN staff ON staff.id = finding.owner
WHERE finding.state <> 'resolved' ORDER BY first_seen_at, finding.id LIMIT 41
"""
_ONE = f"""
SELECT {_FINDING}, ours, theirs, differs, objects, evidence, finding.last_seen_at, tenant.name, staff.name
FROM finding LEFT JOIN directory_tenant AS tenant ON tenant.id = finding.tenant
LEFT JOIN staff ON staff.id = finding.owner WHERE finding.id = :id
"""
_MIRRORED = """
SELECT id, number, status, currency, amount_minor, at, parent FROM plane_billing_object
WHERE tenant_id = :tenant AND kind = :kind ORDER BY at DESC, id DESC LIMIT :most
"""
_MIRROR = {
    "subscription": 15, "invoice": 25, "payment": 15, "refund": 15, "credit_note": 15, "dispute": 15,
}  # fmt: skip
_BESIDE = {
    "Customers": "SELECT customer, linked_at, because FROM plane_billing_customer WHERE tenant_id = :tenant",
    "Writes": "SELECT id, state, wanted_at FROM plane_provider_write WHERE tenant_id = :tenant "
    "ORDER BY wanted_at DESC, id DESC LIMIT 15",
    "Holds": "SELECT * FROM plane_billing_hold WHERE tenant_id = :tenant ORDER BY dispute",
    "Findings": f"SELECT {_FINDING} FROM finding WHERE tenant = :tenant AND state <> 'resolved' "
    "ORDER BY first_seen_at, id LIMIT 5",
}
_WHY = {
    "Features": "SELECT key, name, kind, unit, combining, default_value FROM plane_feature "
    "LEFT JOIN plane_feature_rule ON feature_key = key ORDER BY key",
    "Subscription": "SELECT plan_key, status, seats, started_at FROM plane_subscription WHERE tenant_id = :tenant",
    "Plan": "SELECT given.feature_key, given.value FROM plane_subscription AS bought "
    "JOIN plane_plan_entitlement AS given ON given.plan_key = bought.plan_key WHERE bought.tenant_id = :tenant",
    "Versions": "SELECT given.feature_key, given.version, given.value FROM plane_subscription AS bought "
    "JOIN plane_plan_version_entitlement AS given ON given.plan_key = bought.plan_key WHERE bought.tenant_id = :tenant",
    "Contracts": "SELECT id, label, plan_key, version, starts_at, until FROM plane_contract WHERE tenant_id = :tenant",
    "Trials": "SELECT id, feature_key, value, label, until FROM plane_trial WHERE tenant_id = :tenant",
    "Add-ons": "SELECT bought.id, given.feature_key, given.value, bought.quantity, bought.until "
    "FROM plane_subscription_add_on AS bought "
    "JOIN plane_add_on_entitlement AS given ON given.add_on_key = bought.add_on_key WHERE bought.tenant_id = :tenant",
    "Overrides": "SELECT id, feature, label, value, starts_at, until FROM plane_entitlement_override "
    "WHERE tenant_id = :tenant ORDER BY feature, starts_at",
    "Conditions": "SELECT id, kind, cause, starts_at, until FROM plane_condition WHERE tenant_id = :tenant",
    "Use": "SELECT feature_key, used, starts_at, until FROM plane_usage WHERE tenant_id = :tenant",
    "Stored": "SELECT version, computed_at, valid_until, rows FROM plane_effective_set WHERE tenant_id = :tenant",
}
_MONTHS = """
SELECT month.id, month.state, month.tenants, month.prepared_at, one.name, month.closed_at, other.name
FROM accounting_period AS month LEFT JOIN staff AS one ON one.id = month.prepared_by
LEFT JOIN staff AS other ON other.id = month.closed_by ORDER BY month.id DESC LIMIT 13
"""
_REGISTER = """
SELECT tenant.name, tenant.slug, listed.until, staff.name, listed.monthly_minor, listed.currency, listed.is_redundant,
listed.is_orphaned, listed.starts_at, listed.checked_at
FROM override_register AS listed JOIN directory_tenant AS tenant ON tenant.id = listed.tenant
LEFT JOIN staff ON staff.id = listed.owner
ORDER BY listed.until IS NULL, listed.until, listed.tenant, listed.override LIMIT 51
"""
_COST = """
SELECT currency, count(*), sum(monthly_minor) FROM override_register WHERE monthly_minor > 0
GROUP BY currency ORDER BY currency
"""


def add_finance(app: Flask, rows: Rows, entry: str, page: Page) -> None:
    """Add the views."""

    def tenant() -> dict[str, Any]:
        return {"tenant": request.args["tenant"]}

    @app.get("/runs")
    def runs() -> str:
        tables = {"Runs": _RUNS, "Standing": _STANDING, "Running": _OPEN_RUN}
        return page("Runs", [(name, rows.all(sql)) for name, sql in tables.items()])

    @app.get("/queue")
    def queue() -> str:
        return page("Findings", [("Findings", rows.all(_QUEUE))])

    @app.get("/finding")
    def finding() -> str:
        which = {"id": request.args["id"]}
        history = f"SELECT {entry} FROM audit_event WHERE target = :id ORDER BY id DESC LIMIT 50"
        return page("Finding", [("Finding", rows.all(_ONE, which)), ("History", rows.all(history, which))])

    @app.get("/billing")
    def billing() -> str:
        mirror = [
            (kind, rows.all(_MIRRORED, {**tenant(), "kind": kind, "most": most})) for kind, most in _MIRROR.items()
        ]
        return page("Billing", [*mirror, *((name, rows.all(sql, tenant())) for name, sql in _BESIDE.items())])

    @app.get("/why")
    def why() -> str:
        asked = {name: {} if name == "Features" else tenant() for name in _WHY}
        return page("Entitlements", [(name, rows.all(sql, asked[name])) for name, sql in _WHY.items()])

    @app.get("/periods")
    def periods() -> str:
        return page("Periods", [("Months", rows.all(_MONTHS))])

    @app.get("/register")
    def register() -> str:
        return page("Overrides", [("Overrides", rows.all(_REGISTER)), ("Cost", rows.all(_COST))])
