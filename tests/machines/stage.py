"""The real use cases on one SQLite file that can be put back to any earlier moment, clock included."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from console.domain.canonical import parse_canonical
from console.domain.ids import SHARED_PLANE, ActionKey, Digest, PersonKey, ReasonCode, RequestId, TenantId
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.requests import Request, State, Verdict, Vote
from console.domain.staff import Actor, Role
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.change_request import cancel_request, revise_request, revoke_request
from console.usecases.control_tools import UnitTools
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.open_lease import open_lease
from console.usecases.outcomes import Waiting
from console.usecases.parameters import Raw
from console.usecases.propose_action import propose_action
from console.usecases.vote_on_request import vote_on_request
from tests import ground
from tests.databases import NOON, HandClock
from tests.going_back import Place, WayBack, way_back
from tests.web.cast import PEOPLE, opened_house, peopled_sqlite
from tests.web.world import TENANTS

WHY = Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-0117")
THE = RequestId("req_00000000000000000000000001")
# What only tells of a step, or is written anew by each vote, is no part of the state that the next step starts from.
_TELLING = ("audit_", "sqlite_", "directory_name", "notice", "throttle_event", "request_rendered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Who asks for what, and whose votes it needs."""

    action: ActionKey
    requester: str
    first_voter: str
    second_voter: str
    runs: Literal["on_approval", "by_hand"]
    needs: int

    def raw(self, number: int) -> Raw:
        """Return the parameters as typed, for one revision."""
        if self.action == "tenant.suspend":
            return {"because": f"Invoices are unpaid, reminder {number}."}
        return {"feature": "seats", "value": str(250 + number), "until": "2027-01-31"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the database's log and the clock's reading."""

    place: Place
    now: datetime


@dataclass
class Stage:
    """One request on stage, and everything that people and time can do to it."""

    plot: Plot
    house: House
    clock: HandClock
    file: sqlite3.Connection
    way: WayBack
    tables: list[str] = field(default_factory=list)

    @property
    def tenant(self) -> TenantId:
        """Return the tenant that the request is about."""
        return TENANTS["nordwind"]

    # --- going back

    def moment(self) -> Moment:
        """Keep what is stored now."""
        return Moment(self.way.here(), self.clock.now())

    def back_to(self, moment: Moment) -> None:
        """Put everything back."""
        self.way.back_to(moment.place)
        self.clock.moment = moment.now

    def state(self) -> tuple[object, ...]:
        """Return all that the next step can depend on."""
        rows = [tuple(sorted(map(repr, self.file.execute(f"SELECT * FROM {table}")))) for table in self.tables]
        return (self.clock.now(), *rows)

    # --- looking

    def request(self) -> Request:
        """Return the request as stored."""
        with self.house.store.read() as unit:
            request = unit.requests.get(THE)
        assert request is not None
        return request

    def standing(self) -> tuple[State, int]:
        """Return state and version of the request as stored."""
        state, version = self.file.execute("SELECT state, version FROM request").fetchone()
        return State(state), version

    def votes(self) -> list[Vote]:
        """Return every vote."""
        with self.house.store.read() as unit:
            return list(unit.requests.votes(THE))

    def is_active(self, who: str) -> bool:
        """Return whether an account is switched on."""
        found = self.file.execute("SELECT is_active FROM staff WHERE id = ?", (PEOPLE[who].id,))
        return bool(found.fetchone()[0])

    def roles(self, who: str) -> frozenset[Role]:
        """Return the roles that a person holds now."""
        found = self.file.execute("SELECT role FROM staff_role WHERE staff = ?", (PEOPLE[who].id,))
        return frozenset(Role(role) for (role,) in found)

    def effects(self) -> int:
        """Return how often the action took effect on the tenant's data."""
        if self.plot.action == "tenant.suspend":
            wanted = "SELECT count(*) FROM plane_account_state WHERE status = 'suspended'"
        else:
            wanted = "SELECT count(*) FROM plane_entitlement_override WHERE label LIKE 'Override by%'"
        count: int = self.file.execute(wanted).fetchone()[0]
        marks: int = self.file.execute("SELECT count(*) FROM plane_applied_execution").fetchone()[0]
        assert count == marks, "every effect is marked in its own transaction"
        return count

    def entries(self, since: int) -> list[dict[str, Any]]:
        """Return the bodies of the entries after a row, oldest first."""
        found = self.file.execute("SELECT body FROM audit_event WHERE id > ? ORDER BY id", (since,))
        bodies = [parse_canonical(body.encode()) for (body,) in found]
        return [body for body in bodies if isinstance(body, dict)]

    def last_entry(self) -> int:
        """Return the row of the newest entry."""
        row: int | None = self.file.execute("SELECT max(id) FROM audit_event").fetchone()[0]
        return row or 0

    # --- acting

    def actor(self, who: str) -> Actor:
        """Return a person with a fresh second factor and the roles that they hold now."""
        person, now = PEOPLE[who], self.clock.now()
        return Actor(
            staff=person.id,
            person=PersonKey(f"local|{person.id}"),
            name=person.name,
            email=person.email,
            roles=self.roles(who),
            stepped_up_at=now,
        )

    def file_request(self) -> None:
        """Open the tenant and ask."""
        asker = self.actor(self.plot.requester)
        lease = open_lease(self.house, asker, tenant=self.tenant, reason=WHY, minutes=None)
        assert isinstance(lease, Lease), lease
        proposal = propose_action(
            self.house,
            asker,
            key=self.plot.action,
            tenant=self.tenant,
            raw=self.plot.raw(1),
            reason=WHY,
            mark=None,
            form_id=THE,
        )
        assert isinstance(proposal, Waiting), proposal

    def vote(self, who: str, verdict: Verdict = Verdict.APPROVE, *, on_first: bool = False) -> object:
        """Look at the diff and vote on it, or on the digest of the first revision."""
        found = self.file.execute("SELECT revision, digest FROM request_revision ORDER BY revision")
        revisions: list[tuple[int, Digest]] = found.fetchall()
        digest = revisions[0 if on_first else -1][1]
        shown = (THE, revisions[-1][0], PEOPLE[who].id, 0)
        self.file.execute(
            "INSERT OR IGNORE INTO request_rendered (request, revision, staff, at) VALUES (?, ?, ?, ?)", shown
        )
        self.file.commit()
        return vote_on_request(self.house, self.actor(who), request_id=THE, digest=digest, verdict=verdict)

    def execute(self, who: str) -> object:
        """Run it."""
        return execute_request(self.house, self.actor(who), request_id=THE)

    def cancel(self) -> object:
        """Withdraw it."""
        return cancel_request(self.house, self.actor(self.plot.requester), request_id=THE)

    def revoke(self) -> object:
        """Take the approval back."""
        return revoke_request(self.house, self.actor(self.plot.first_voter), request_id=THE, because="a mistake")

    def revise(self) -> object:
        """Ask for something else instead."""
        raw = self.plot.raw(self.request().revision + 1)
        return revise_request(self.house, self.actor(self.plot.requester), request_id=THE, raw=raw, mark=None)

    def take_role(self, who: str) -> None:
        """Take all roles of a person away."""
        with self.house.store.write() as unit:
            unit.staff.set_roles(PEOPLE[who].id, frozenset[Role](), at=self.clock.now())

    def deactivate(self, who: str, *, with_all_that_rests_on_it: bool) -> None:
        """Switch an account off, as `staff.deactivate` does or as an identity provider does it to us."""
        now = self.clock.now()
        with self.house.store.write() as unit:
            unit.staff.set_active(PEOPLE[who].id, is_active=False, at=now)
            if with_all_that_rests_on_it:
                books = UnitTools(house=self.house, unit=unit, actor=self.actor("administrator"), tenant=None)
                books.end_everything_of(PEOPLE[who].id, at=now)

    def change_tenant(self) -> None:
        """Let somebody else change the rows that the request was derived from."""
        scope = TenantScope(
            tenant=self.tenant,
            plane=SHARED_PLANE,
            staff=PEOPLE["support_lead"].id,
            basis=ScopeBasis.REQUEST,
            reason=WHY.code,
            not_after=self.clock.now() + timedelta(minutes=5),
        )
        with self.house.store.write() as unit:
            plane = unit.tenant(scope)
            if self.plot.action == "tenant.suspend":
                account = plane.account()
                plane.set_status(account.status, because=None, version=account.version)
            else:
                seats = plane.grants("seats")[0]
                now = self.clock.now()
                other = replace(seats, id=self.house.ids.new("ovr"), label="Another", value=222, starts_at=now)
                plane.add_override(other, by="somebody", at=now)


@contextmanager
def set_stage(plot: Plot) -> Iterator[Stage]:
    """Give a stage on which the plot's request was just filed, in memory where that is a folder: no disk is tried."""
    memory = Path("/dev/shm")  # noqa: S108  a folder of our own is made in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield from _set(Path(folder) / "stage.db", plot)


def _set(path: Path, plot: Plot) -> Iterator[Stage]:
    clock = HandClock(NOON)
    made = ground.folder() / f"stage-{os.getpid()}.db"
    peopled_sqlite(made)
    shutil.move(made, path)
    with (
        opened_house(f"sqlite:///{path}", clock=clock) as (house, _storage),
        closing(sqlite3.connect(path)) as file,
        way_back(path) as way,
    ):
        file.execute("PRAGMA synchronous = OFF")
        rule = replace(house.book.actions[plot.action], runs=plot.runs)
        book = replace(house.book, actions={**house.book.actions, plot.action: rule})
        stage = Stage(plot, replace(house, book=book), clock, file, way)
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        stage.tables = [name for name in names if not name.startswith(_TELLING)]
        stage.file_request()
        way.here(is_first=True)
        yield stage
