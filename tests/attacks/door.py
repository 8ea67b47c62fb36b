"""The door that attackers knock at: the whole app on a fresh database, and a count of what each attempt left behind."""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from console.domain.decisions import Deny, NeedsStepUp
from console.domain.ids import ActionKey, StaffId
from console.domain.leases import Lease
from console.domain.requests import Request, Vote
from console.domain.staff import Role
from console.usecases.sign_in import session_key
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, web_app

OVERRIDE = "/t/nordwind/actions/entitlement.override"
SUSPEND = "/t/nordwind/actions/tenant.suspend"
SEATS = {"feature": "seats", "value": "250", "until": "2027-01-31"}
UNPAID = {"because": "Invoices are unpaid since March."}
CONTRACT = {"reason_code": "CONTRACT_CHANGE", "reason_reference": "CTR-2026-0117", "reason_note": ""}
TICKET = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "ZD-48213", "reason_note": "", "minutes": ""}

# What tells of a step or counts it is no part of what an attack must not change.
_TELLING = ("audit_", "sqlite_", "throttle_event", "staff_session", "request_rendered", "alembic_", "directory_name_")
_MOVING = {"lease": ("last_used_at",), "staff": ("last_seen_at", "totp_last_step")}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')

Fingerprint = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: what was promised about it, what came back, and what it left behind.

    Shape: `said` is a status, a deny code, or the name of a database error; `denied` names the entries with outcome
    denied that it wrote, in order; `changed` the tables that are not as they were.
    """

    what: str
    said: int | str
    refused: frozenset[int | str]
    recorded: tuple[str, ...]
    denied: tuple[str, ...]
    codes: tuple[str | None, ...]
    changed: frozenset[str]
    settles: frozenset[str]


@dataclass
class Attempts:
    """What an attacker tries, and what must come of each try.

    Shape: `refused` holds the statuses (deny codes, database errors) that are a refusal; `recorded` the denied entries
    that one refusal leaves, none where `unrecorded` gives the reason; `code` is the deny code that they carry;
    `settles` names tables in which a refusal may store that a clock has run out.
    """

    door: "Door"
    refused: Collection[int | str]
    recorded: tuple[str, ...]
    code: str | None = None
    settles: tuple[str, ...] = ()
    unrecorded: str = ""
    made: list[Attempt] = field(default_factory=list)

    def get(self, browser: Browser, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self._web(f"GET {path}", lambda: browser.get(path, headers=_named(headers)))

    def post(
        self,
        browser: Browser,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> TestResponse:
        """Send a form, with the token of the page seen last unless another is given."""
        return self._web(
            f"POST {path} {data}"[:200],
            lambda: browser.post(path, dict(data or {}), token=token, headers=_named(headers)),
        )

    def send(self, browser: Browser, method: str, path: str, **sent: Any) -> TestResponse:  # noqa: ANN401  werkzeug's own
        """Send any message; `sent` is what werkzeug's client takes."""
        return self._web(
            f"{method} {path}"[:200], lambda: browser.client.open(path, method=method, buffered=True, **sent)
        )

    def ask(self, what: str, question: Callable[[], object]) -> object:
        """Put something to a use case without a browser; a refusal comes back as its code."""

        def asked() -> tuple[int | str, object]:
            answer = question()
            if isinstance(answer, Deny):
                return answer.code.value, answer
            return ("step_up" if isinstance(answer, NeedsStepUp) else "permitted"), answer

        return self._tried(what, asked)

    def sql(self, statement: str, *values: object) -> None:
        """Try to change the database itself; the seat belts of the tables must hold."""

        def tried() -> tuple[int | str, object]:
            try:
                self.door.sql(statement, *values)
            except sqlite3.Error as refused:
                return type(refused).__name__, refused
            return "done", None

        self._tried(statement, tried)

    def _web(self, what: str, send: Callable[[], TestResponse]) -> TestResponse:
        def tried() -> tuple[int | str, TestResponse]:
            answer = send()
            assert "Traceback" not in answer.get_data(as_text=True)
            return answer.status_code, answer

        found = self._tried(what, tried)
        assert isinstance(found, TestResponse)
        return found

    def _tried(self, what: str, doing: Callable[[], tuple[int | str, object]]) -> object:
        before, seen = self.door.fingerprint(), self.door.newest_entry()
        said, answer = doing()
        after = self.door.fingerprint()
        denied = self.door.denied_since(seen)
        self.made.append(
            Attempt(
                what=what,
                said=said,
                refused=frozenset(self.refused),
                recorded=self.recorded,
                denied=tuple(action for action, _code in denied),
                codes=tuple(code for _action, code in denied) if self.code else (),
                changed=frozenset(name for name in after if after[name] != before.get(name)),
                settles=frozenset(self.settles),
            )
        )
        return answer


@dataclass
class Door:
    """The stage of one attack: people, tenants, clock, and the file that it all lies in."""

    cast: Cast
    file: Path
    known: tuple[int, Fingerprint] | None = None

    # --- people

    def enter(self, who: str = "support_agent") -> Browser:
        """Return the browser of somebody who has just signed in, second factor fresh."""
        return self.cast.sign_in(who)

    def inside(self, who: str = "support_agent", slug: str = "nordwind") -> Browser:
        """Return the browser of somebody who has just signed in and opened a tenant."""
        browser = self.enter(who)
        self.open(browser, slug)
        return browser

    def open(self, browser: Browser, slug: str = "nordwind", **form: str) -> None:
        """Open a tenant with a reason."""
        browser.get(f"/tenants/{slug}/lease")
        answer = browser.post(f"/tenants/{slug}/lease", TICKET | form)
        assert answer.status_code == 303, answer.text

    def change_roles(self, who: str, *roles: Role) -> None:
        """Give somebody other roles, as an administrator would."""
        with self.cast.house.store.write() as unit:
            unit.staff.set_roles(PEOPLE[who].id, frozenset(roles), at=self.cast.clock.now())

    # --- requests

    def preview(self, browser: Browser, path: str, fields: Mapping[str, str], **reason: str) -> dict[str, str]:
        """Return the form that the preview page of an action would send when asked."""
        browser.get(path)
        answer = browser.post(path, {**fields, **CONTRACT, **reason, "step": "preview"})
        assert answer.status_code == 200, answer.text
        hidden = {name: _plain(value) for name, value in _HIDDEN.findall(answer.text) if name != "csrf_token"}
        return {**hidden, **fields, **CONTRACT, **reason, "step": "ask"}

    def ask(self, browser: Browser, path: str = OVERRIDE, fields: Mapping[str, str] = SEATS, **reason: str) -> str:
        """File a request and return its id."""
        form = self.preview(browser, path, fields, **reason)
        answer = browser.post(path, form)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def asked(self, who: str = "support_agent", path: str = OVERRIDE, fields: Mapping[str, str] = SEATS) -> str:
        """Let somebody sign in, open the tenant and ask; return the request's id."""
        return self.ask(self.inside(who), path, fields)

    def suspension_asked(self, who: str = "support_lead") -> str:
        """File a request that two people must approve; return its id."""
        return self.asked(who, SUSPEND, UNPAID)

    def approved(self) -> str:
        """Return the id of an approved override that waits to be run by hand."""
        self.run_by_hand()
        request = self.asked()
        lead = self.enter("finance_lead")
        self.vote(lead, request)
        assert self.request(request).state == "approved"
        return request

    def vote(self, browser: Browser, request: str) -> None:
        """Look at a request and approve it."""
        browser.get(f"/requests/{request}")
        answer = browser.post(f"/requests/{request}/votes", self.ballot(request))
        assert answer.status_code == 303, answer.text

    def ballot(self, request: str, verdict: str = "approve") -> dict[str, str]:
        """Return the form of a vote on what stands now."""
        return {
            "verdict": verdict,
            "digest": self.request(request).digest,
            "comment": "No." if verdict == "reject" else "",
        }

    def run_by_hand(self, action: str = "entitlement.override") -> None:
        """Let approved requests for an action wait until somebody runs them."""
        book = self.cast.house.book
        key = ActionKey(action)
        actions = {**book.actions, key: replace(book.actions[key], runs="by_hand")}
        self.refurnish(book=replace(book, actions=actions))

    def refurnish(self, **changed: Any) -> None:  # noqa: ANN401  fields of House
        """Put another policy or registry into the house and serve from there."""
        self.cast.house = replace(self.cast.house, **changed)
        self.cast.app = web_app(self.cast.house)

    # --- looking

    def request(self, request: str) -> Request:
        """Return a request as it is stored."""
        with self.cast.house.store.read() as unit:
            found = unit.requests.get(request)  # type: ignore[arg-type]  # ids of attackers are plain text
        assert found is not None
        return found

    def votes(self, request: str) -> list[Vote]:
        """Return the votes on a request."""
        with self.cast.house.store.read() as unit:
            return list(unit.requests.votes(request))  # type: ignore[arg-type]  # the same

    def leases(self, who: str) -> list[Lease]:
        """Return somebody's open leases."""
        with self.cast.house.store.read() as unit:
            return list(unit.leases.open_of(PEOPLE[who].id))

    def staff(self, who: str) -> StaffId:
        """Return somebody's id."""
        return PEOPLE[who].id

    def session(self, browser: Browser) -> str:
        """Return the key of a browser's session."""
        return session_key(browser.cookie("__Host-sallyport"))

    # --- underneath

    def sql(self, statement: str, *values: object) -> None:
        """Do to the file what only its owner could do."""
        with closing(sqlite3.connect(self.file)) as raw, raw:
            raw.execute(statement, values)

    def unlock(self, table: str) -> None:
        """Take the seat belts off a table: the triggers that refuse changes."""
        with closing(sqlite3.connect(self.file)) as raw, raw:
            found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))
            for (name,) in found.fetchall():
                raw.execute(f"DROP TRIGGER {name}")

    @cached_property
    def looking(self) -> sqlite3.Connection:
        """Return a connection that only looks: reading the shape of all tables takes longer than reading them."""
        return sqlite3.connect(self.file, check_same_thread=False)

    def fingerprint(self) -> Fingerprint:
        """Return every row of every table, but for those that tell of a step or count it."""
        version: int = self.looking.execute("PRAGMA data_version").fetchone()[0]  # moves with others' commits
        if self.known is None or self.known[0] != version:
            self.known = (version, {name: tuple(_rows(self.looking, name)) for name in _tables(self.looking)})
        return self.known[1]

    def newest_entry(self) -> int:
        """Return the row id of the newest entry."""
        found: int = self.looking.execute("SELECT coalesce(max(id), 0) FROM audit_event").fetchone()[0]
        return found

    def denied_since(self, entry: int) -> list[tuple[str, str | None]]:
        """Return the denied entries after a row id, with their deny codes."""
        query = (
            "SELECT action, json_extract(body, '$.authorisation.deny_code') FROM audit_event "
            "WHERE id > ? AND outcome = 'denied' ORDER BY id"
        )
        return [(action, code) for action, code in self.looking.execute(query, (entry,))]

    def close(self) -> None:
        """Look no longer."""
        self.looking.close()

    def attempts(
        self,
        refused: int | str | Collection[int | str],
        *recorded: str,
        code: str | None = None,
        settles: tuple[str, ...] = (),
        unrecorded: str = "",
    ) -> Attempts:
        """Return a fresh sheet for attempts that must all be refused like this."""
        wanted = (refused,) if isinstance(refused, int | str) else refused
        return Attempts(door=self, refused=wanted, recorded=recorded, code=code, settles=settles, unrecorded=unrecorded)


@contextmanager
def opened_door(path: Path) -> Iterator[Door]:
    """Give a door on a fresh database."""
    with on_stage(path) as cast, closing(Door(cast=cast, file=path)) as door:
        yield door


def _tables(raw: sqlite3.Connection) -> list[str]:
    found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if not name.startswith(_TELLING)]


def _rows(raw: sqlite3.Connection, table: str) -> list[str]:
    moving = _MOVING.get(table, ())
    found = raw.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    kept = [number for number, name in enumerate(names) if name not in moving]
    return sorted(repr([row[number] for number in kept]) for row in found)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _plain(text: str) -> str:
    for escaped, plain in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, plain)
    return text
