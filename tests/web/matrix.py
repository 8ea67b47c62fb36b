"""The matrix of routes, roles and leases: what it asks, and docs/roles.md, which says what must come back.

Print the table as it is, after a deliberate change, and read the difference: `.venv/bin/python -m tests.web.matrix`.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from werkzeug.routing import Rule

from console.domain.ids import ActionKey, LeaseId, ReasonCode, RequestId
from console.domain.impersonations import ImpersonationEnd
from console.domain.leases import Lease, LeaseEnd
from console.domain.periods import PeriodState
from console.domain.reasons import Reason
from console.domain.staff import Actor, Role
from console.usecases.outcomes import Waiting
from console.usecases.propose_action import propose_action
from tests.web.access_stage import planned_sweep
from tests.web.cast import PEOPLE, ROOT, Browser, Cast, on_stage
from tests.web.period_stage import OCTOBER, period_in
from tests.web.product_stage import impersonation_of
from tests.web.reconciliation_stage import found
from tests.web.signal_stage import raised_signal
from tests.web.webhook_stage import MAIN, furnish, planned_run
from tests.web.world import TENANTS

TABLE = ROOT / "docs" / "roles.md"
THIS, OTHER = "nordwind", "kestrel"
LEASES = ("none", "this", "other")
UNCHECKED = frozenset({"HEAD", "OPTIONS"})
# What a word of the table means: the statuses without a lease, with one on this tenant, with one on the other tenant.
WORDS: Mapping[str, tuple[int, int, int]] = {
    "yes": (200, 200, 200),
    "done": (303, 303, 303),
    "form": (422, 422, 422),
    "state": (409, 409, 409),
    "lease": (404, 200, 404),
    "lease, form": (404, 422, 404),
    "no": (403, 403, 403),
    "never": (404, 403, 404),
    "hidden": (404, 404, 404),
}
# Only a tenant that is open shows these; a member's address and number are shown by no page at all.
PRIVATE = {slug: (f"Member 2 of {name}", f"A note about {name}", f"https://api.{slug}.example", f"INV-{slug}-1")
           for slug, name in ((THIS, "Nordwind Logistik"), (OTHER, "Kestrel Labs"))}  # fmt: skip
MASKED = ("member1@", "member2@", "member3@", "+49 30 1234567")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One method of one address."""

    method: str
    rule: Rule

    @property
    def name(self) -> str:
        """Return the first cell of its line."""
        return f"`{self.method} {self.rule.rule}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What somebody else has, named in addresses: a request on the other tenant, a lease, a session, an entry."""

    values: Mapping[str, str]

    def path(self, rule: Rule) -> str:
        """Return the address with everything filled in."""
        built = rule.build({name: self.values[name] for name in rule.arguments})
        assert built is not None
        return built[1]


def lines(app: Flask, endpoints: Iterable[str]) -> list[Line]:
    """Return what the matrix asks for, signing out last because it ends the session."""
    wanted = set(endpoints)
    found = [
        Line(method=method, rule=rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint in wanted
        for method in sorted((rule.methods or set()) - UNCHECKED)
    ]
    return sorted(found, key=lambda line: (line.rule.endpoint == "door.sign_out", line.rule.rule, line.method))


def furnished(cast: Cast) -> World:
    """Let a colleague have a lease, a request on the other tenant and a session; this tenant had an outage."""
    colleague = PEOPLE["support_agent_2"]
    browser = cast.sign_in(colleague.key)
    lease(cast, colleague.key, OTHER)
    answer = propose_action(
        cast.house,
        actor_of(colleague.key, cast),
        key=ActionKey("entitlement.override"),
        tenant=TENANTS[OTHER],
        raw={"feature": "seats", "value": "70", "until": "2027-01-31"},
        reason=Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-0117"),
        mark=None,
        form_id=RequestId("req_0000000000000000000000000a"),
    )
    assert isinstance(answer, Waiting), answer
    with cast.house.store.read() as unit:
        (held,) = unit.leases.open_of(colleague.id)
        session = unit.sessions.live_of(colleague.id, cast.clock.now())[0]
    assert browser.cookie("__Host-sallyport")
    left = furnish(cast)
    period_in(cast, PeriodState.SOFT_CLOSED)
    stood = found(cast)
    return World(
        values={
            "slug": THIS,
            "request_id": answer.request.id,
            "lease": held.id,
            "impersonation": impersonation_of(
                cast, colleague.key, session=session.key, slug=THIS, by=ImpersonationEnd.HAND
            ),
            "uid": cast.entries("request.proposed")[0]["uid"],
            "key": session.key,
            "endpoint_id": MAIN,
            "delivery": left.failed[0],
            "run": planned_run(cast, left),
            "sweep": planned_sweep(cast),
            "signal": raised_signal(cast),
            "job": left.job,
            "event": left.event,
            "reconciliation": stood.run,
            "stray": stood.stray,
            "finding": stood.of_tenant,
            "period": OCTOBER,
            "name": "invoices.csv",
        }
    )


def actor_of(who: str, cast: Cast) -> Actor:
    """Return somebody of the cast as the use cases see them, second factor fresh."""
    person = PEOPLE[who]
    return Actor(
        staff=person.id,
        person=f"local|{person.id}",  # type: ignore[arg-type]  # as populate() made it
        name=person.name,
        email=person.email,
        roles=frozenset({person.role}),
        stepped_up_at=cast.clock.now(),
    )


def lease(cast: Cast, who: str, slug: str | None) -> None:
    """Let somebody hold a lease on one tenant and on no other, whatever policy says of it."""
    now, staff = cast.clock.now(), PEOPLE[who].id
    with cast.house.store.write() as unit:
        for open_one in unit.leases.open_of(staff):
            unit.leases.end(open_one.id, by=LeaseEnd.HAND, at=now)
        if slug is not None:
            unit.leases.add(
                Lease(
                    id=LeaseId(cast.house.ids.new("lea")),
                    staff=staff,
                    session=None,
                    tenant=TENANTS[slug],
                    reason=Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-0117"),
                    opened_at=now,
                    last_used_at=now,
                    not_after=now + timedelta(minutes=30),
                    idle_minutes=20,
                )
            )


def asked(browser: Browser, line: Line, path: str) -> tuple[int, str]:
    """Return status and text of one question; a form carries nothing but its token."""
    answer = browser.get(path) if line.method == "GET" else browser.post(path)
    return answer.status_code, answer.text


def path_of(world: World, line: Line) -> str:
    """Return the address of a line: an action's page is that of one action, a search looks for the other tenant."""
    if line.rule.endpoint == "actions.create":
        return replace(world, values={**world.values, "key": "entitlement.override"}).path(line.rule)
    if line.rule.endpoint == "actions.create_control":
        return replace(world, values={**world.values, "key": "lease.top_up"}).path(line.rule)
    if line.rule.endpoint in {"search.show", "palette.show"}:
        return f"{world.path(line.rule)}?q={OTHER}"
    return world.path(line.rule)


def stored(file: Path) -> dict[str, list[str]]:
    """Return what is stored in a file."""
    with closing(sqlite3.connect(file)) as raw:
        return stored_in(raw)


def stored_in(raw: sqlite3.Connection) -> dict[str, list[str]]:
    """Return every row but those of the trail, counters and marks of having seen.

    Shape: without idle clocks, and without what a session is to say on its next page.
    """
    moving = {"last_used_at", "last_seen_at", "totp_last_step", "values"}
    told = ("audit_", "sqlite_", "throttle_event", "request_rendered")
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for table in tables:
        if not table.startswith(told):
            rows = raw.execute(f"SELECT * FROM {table}")
            kept = [number for number, column in enumerate(rows.description) if column[0] not in moving]
            found[table] = sorted(repr([row[number] for number in kept]) for row in rows)
    return found


def newest_in(raw: sqlite3.Connection) -> int:
    """Return the row id of the newest entry."""
    found: int = raw.execute("SELECT coalesce(max(id), 0) FROM audit_event").fetchone()[0]
    return found


def denied_in(raw: sqlite3.Connection, *, since: int) -> list[str]:
    """Return the denied entries that came after one."""
    found = raw.execute("SELECT action FROM audit_event WHERE id > ? AND outcome = 'denied' ORDER BY id", (since,))
    return [action for (action,) in found]


def table() -> dict[str, dict[Role, str]]:
    """Return the words of docs/roles.md by line and role."""
    rows = [
        [cell.strip() for cell in row.strip().strip("|").split("|")]
        for row in TABLE.read_text().splitlines()
        if row.startswith(("| `GET", "| `POST"))
    ]
    return {row[0]: dict(zip(Role, row[1:], strict=True)) for row in rows}


def word(statuses: tuple[int, ...]) -> str:
    """Return the word for what came back, or the statuses where there is none."""
    return next((name for name, meant in WORDS.items() if meant == statuses), "/".join(map(str, statuses)))


def drawn(cells: Mapping[str, Mapping[Role, str]]) -> str:
    """Return the table as docs/roles.md holds it."""
    head = "| what | " + " | ".join(role.label for role in Role) + " |"
    body = [f"| {name} | " + " | ".join(words[role] for role in Role) + " |" for name, words in cells.items()]
    return "\n".join([head, "|---" * (len(Role) + 1) + "|", *body])


def walked(cast: Cast, world: World, role: Role, what: Iterable[Line]) -> dict[str, tuple[int, ...]]:
    """Return the statuses of every line for one role under each lease."""
    browser = cast.sign_in(role.value)
    found: dict[str, tuple[int, ...]] = {}
    for line in what:
        statuses = []
        for held in LEASES:
            lease(cast, role.value, {"none": None, "this": THIS, "other": OTHER}[held])
            if line.rule.endpoint == "door.sign_out":
                cast.sign_in(role.value, browser=browser)
            statuses.append(asked(browser, line, path_of(world, line))[0])
        found[line.name] = tuple(statuses)
    return found


def main() -> None:
    """Print the table as the app answers now."""
    cells: dict[str, dict[Role, str]] = {}
    for role in Role:
        with TemporaryDirectory() as folder, on_stage(Path(folder) / "matrix.db") as cast:
            world = furnished(cast)
            for name, statuses in walked(cast, world, role, lines(cast.app, gated(cast.app))).items():
                cells.setdefault(name, {})[role] = word(statuses)
    print(drawn(cells))  # noqa: T201  a table for people


def gated(app: Flask) -> list[str]:
    """Return the endpoints behind the gate, as the gate itself says."""
    behind = {"signed_in", "tenant"}
    kinds = {name: getattr(view, "sallyport_gate", None) for name, view in app.view_functions.items()}
    return sorted(name for name, kind in kinds.items() if kind is not None and str(kind) in behind)


if __name__ == "__main__":
    main()
