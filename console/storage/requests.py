"""Requests and votes; every write is fenced by state and version."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from console.domain.changes import Preview
from console.domain.errors import ConflictError
from console.domain.ids import ExecutionId, RequestId, StaffId, TenantId
from console.domain.requests import Request, State, Vote
from console.domain.staff import Role
from console.storage.control_tables import StaffRow
from console.storage.frozen_requests import (
    REQUEST_COLUMNS,
    head_values,
    revision_values,
    seat_values,
    stored_drift,
    vote_values,
    whole_request,
    whole_vote,
)
from console.storage.prepared import Kept, Prepared
from console.storage.request_tables import (
    RequestRenderedRow,
    RequestRevisionRow,
    RequestRow,
    RequestSeatRow,
    RequestVoteRow,
)
from console.storage.rows import add, add_unless_taken, changed, done, found, kept, table_of

_MOVABLE = frozenset(
    {"execute_by", "execution", "executor", "started_at", "finished_at", "outcome", "ended_because", "drift"}
)
_RUNNING = (State.PENDING.value, State.APPROVED.value, State.COUNTING_DOWN.value)
_CLOCKED = (State.APPROVED.value, State.COUNTING_DOWN.value)
_Found = Select[*tuple[Any, ...]]
_HEAD_OF_REVISION = and_(
    RequestRevisionRow.request == RequestRow.id, RequestRevisionRow.revision == RequestRow.revision
)


class StoredRequests:
    """The RequestBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, request: Request) -> None:
        """Store a new request and its first revision. Raises: ConflictError when its id is taken."""
        if not add_unless_taken(self._session, RequestRow, head_values(request)):
            message = "A request with this id is there already."
            raise ConflictError(message, request=request.id)
        self._add_revision(request)

    def get(self, request: RequestId) -> Request | None:
        """Return a request with its newest revision."""
        return next(iter(self._read(_ONE, request=request)), None)

    def move(self, request: Request, to: State, **fields: object) -> bool:
        """Change state by ONE conditional UPDATE on (id, state, version); False means somebody was faster."""
        unknown = set(fields) - _MOVABLE
        if unknown:
            message = f"These do not move with the state: {', '.join(sorted(unknown))}."
            raise TypeError(message)
        moved: dict[str, Any] = {"state": to.value, **fields}
        if isinstance(moved.get("drift"), Preview):
            moved["drift"] = stored_drift(moved["drift"])
        return self._fenced(request, moved)

    def revise(self, before: Request, after: Request) -> bool:
        """Store a new revision under the same fence and void the votes of the old one; False means too late."""
        kept = {"id", "version"}
        moved = {name: value for name, value in head_values(after).items() if name not in kept}
        if after.id != before.id or after.revision != before.revision + 1:
            message = "A revision follows the one before it."
            raise ConflictError(message, request=before.id)
        if not self._fenced(before, moved):
            return False
        self.void_votes(before.id, because="revised")
        self._add_revision(after)
        return True

    def revisions(self, request: RequestId) -> Sequence[Request]:
        """Return every revision, oldest first; state and outcome are the request's."""
        wanted = select(*REQUEST_COLUMNS).join_from(
            RequestRow, RequestRevisionRow, RequestRevisionRow.request == RequestRow.id
        )
        return self._many(wanted.where(RequestRow.id == request).order_by(RequestRevisionRow.revision))

    def add_vote(self, vote: Vote) -> bool:
        """Store a vote; False when this natural person voted on this revision before."""
        return add_unless_taken(self._session, RequestVoteRow, vote_values(vote))

    def votes(self, request: RequestId) -> Sequence[Vote]:
        """Return all votes on all revisions, oldest first."""
        return [whole_vote(row) for row in found(self._session, _VOTES, request=request)]

    def void_votes(self, request: RequestId, *, because: str, staff: Collection[StaffId] | None = None) -> int:
        """Void votes that still count (all, or those of some staff) and return how many."""
        live = update(RequestVoteRow).where(RequestVoteRow.request == request, RequestVoteRow.voided_because.is_(None))
        if staff is not None:
            live = live.where(RequestVoteRow.staff.in_(staff))
        return changed(self._session, live.values(voided_because=because))

    def rendered(self, request: RequestId, *, revision: int, staff: StaffId, at: datetime) -> None:
        """Remember that the diff of a revision was shown to a person."""
        values = {"request": request, "revision": revision, "staff": staff, "at": at}
        add_unless_taken(self._session, RequestRenderedRow, values)

    def was_rendered(self, request: RequestId, *, revision: int, staff: StaffId) -> bool:
        """Return whether the diff of a revision was shown to a person."""
        return bool(found(self._session, _SEEN, request=request, revision=revision, staff=staff))

    def waiting_for(
        self, staff: StaffId, roles: Collection[Role], *, now: datetime, after: RequestId | None, limit: int
    ) -> Sequence[Request]:
        """Return pending requests that a holder of the roles could still vote on, oldest deadline first."""
        values = {"staff": staff, "roles": sorted(role.value for role in roles), "now": now, "most": limit}
        if after is None:
            return self._read(_WAITING, **values)
        return self._read(_WAITING_AFTER, after=after, **values)

    def count_waiting_for(self, staff: StaffId, roles: Collection[Role], *, now: datetime, most: int) -> int:
        """Return how many wait, counting no further than `most`."""
        values = {"staff": staff, "roles": sorted(role.value for role in roles), "now": now, "most": most}
        return int(found(self._session, _COUNT_WAITING, **values)[0][0])

    def mine(self, staff: StaffId, *, after: RequestId | None, limit: int) -> Sequence[Request]:
        """Return a person's own requests, newest first."""
        return self._newest(_MINE, after=after, limit=limit, staff=staff)

    def recent(
        self, *, states: Collection[State], tenant: TenantId | None, after: RequestId | None, limit: int
    ) -> Sequence[Request]:
        """Return requests of everybody, newest first; no states named means all."""
        values: dict[str, object] = {} if tenant is None else {"tenant": tenant}
        if states and set(states) != set(State):
            values["states"] = sorted(state.value for state in states)
        pages = _RECENT["tenant" in values, "states" in values]
        if tenant is not None and states and set(states) <= {State.PENDING, State.APPROVED}:
            pages = _OPEN_OF_TENANT
        return self._newest(pages, after=after, limit=limit, **values)

    def open_of_requester(self, staff: StaffId) -> Sequence[Request]:
        """Return a person's requests that could still run."""
        wanted = _found().where(RequestRow.requester == staff, RequestRow.state.in_(_RUNNING))
        return self._many(wanted.order_by(RequestRow.filed_at, RequestRow.id))

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Request]:
        """Return pending or approved requests whose clock has run out."""
        pending = and_(RequestRow.state == State.PENDING.value, RequestRow.approve_by <= now)
        approved = and_(RequestRow.state.in_(_CLOCKED), RequestRow.execute_by <= now)
        late = select(RequestRow.id).where(or_(pending, approved)).limit(limit)
        return self._many(_found().where(RequestRow.id.in_(late)).order_by(RequestRow.id))

    def executing(self, *, started_before: datetime, limit: int) -> Sequence[Request]:
        """Return executions that never reported back."""
        wanted = _found().where(RequestRow.state == State.EXECUTING.value, RequestRow.started_at < started_before)
        return self._many(wanted.order_by(RequestRow.started_at, RequestRow.id).limit(limit))

    def by_execution(self, execution: ExecutionId) -> Request | None:
        """Return the request behind an execution."""
        return self._first(_found().where(RequestRow.execution == execution))

    def _fenced(self, request: Request, values: dict[str, Any]) -> bool:
        moved = {f"new_{name}": value for name, value in {**values, "version": request.version + 1}.items()}
        fence = _fence(tuple(moved))
        its = {"its_id": request.id, "its_state": request.state.value, "its_version": request.version}
        return done(self._session, fence, **its, **moved) == 1

    def _add_revision(self, request: Request) -> None:
        add(self._session, RequestRevisionRow, revision_values(request))
        for seat in seat_values(request):
            add(self._session, RequestSeatRow, seat)

    def _newest(
        self, pages: tuple[Prepared, Prepared], *, after: RequestId | None, limit: int, **values: object
    ) -> list[Request]:
        first, later = pages
        if after is None:
            return self._read(first, most=limit, **values)
        return self._read(later, most=limit, after=after, **values)

    def _read(self, prepared: Prepared, **values: object) -> list[Request]:
        return kept(self._session, prepared, _WHOLE, **values)

    def _first(self, wanted: _Found) -> Request | None:
        return next(iter(self._many(wanted)), None)

    def _many(self, wanted: _Found) -> list[Request]:
        return [whole_request(row) for row in self._session.connection().execute(wanted)]


def _found() -> _Found:
    return select(*REQUEST_COLUMNS).join_from(RequestRow, RequestRevisionRow, _HEAD_OF_REVISION)


def _waiting(staff: object, roles: Any, now: object) -> list[Any]:  # noqa: ANN401  values, or places for values
    """Return the conditions of a pending request that somebody could still vote on."""
    person = select(StaffRow.person).where(StaffRow.id == staff).scalar_subquery()
    seat = exists().where(
        RequestSeatRow.request == RequestRow.id,
        RequestSeatRow.revision == RequestRow.revision,
        RequestSeatRow.role.in_(roles),
    )
    voted = exists().where(
        RequestVoteRow.request == RequestRow.id,
        RequestVoteRow.revision == RequestRow.revision,
        RequestVoteRow.person == person,
    )
    return [
        RequestRow.state == State.PENDING.value,
        RequestRow.approve_by > now,
        RequestRow.requester_person != person,
        RequestRow.drafted_by != person,
        seat,
        ~voted,
    ]


@cache
def _fence(moved: tuple[str, ...]) -> Prepared:
    """Return the conditional update that moves these columns, each given under its name after `new_`."""
    heads = table_of(RequestRow)
    fence = update(heads).where(
        heads.c.id == bindparam("its_id"),
        heads.c.state == bindparam("its_state"),
        heads.c.version == bindparam("its_version"),
    )
    return Prepared(fence.values({name.removeprefix("new_"): bindparam(name) for name in moved}))


def _newest_first(wanted: _Found) -> tuple[Prepared, Prepared]:
    """Return the first page of a list, and the page after a request."""
    filed = select(RequestRow.filed_at).where(RequestRow.id == bindparam("after")).scalar_subquery()
    ordered = wanted.order_by(RequestRow.filed_at.desc(), RequestRow.id.desc()).limit(bindparam("most"))
    is_older = tuple_(RequestRow.filed_at, RequestRow.id) < tuple_(filed, bindparam("after"))
    return Prepared(ordered), Prepared(ordered.where(is_older))


_HOLDER: tuple[Any, ...] = (bindparam("staff"), bindparam("roles", expanding=True), bindparam("now"))
_WHOLE = Kept(whole_request, most=512)
_COUNT_WAITING = Prepared(
    select(func.count()).select_from(
        select(RequestRow.id).where(*_waiting(*_HOLDER)).limit(bindparam("most")).subquery()
    )
)
_URGENT = _found().where(*_waiting(*_HOLDER)).order_by(RequestRow.approve_by, RequestRow.id).limit(bindparam("most"))
_EDGE = select(RequestRow.approve_by).where(RequestRow.id == bindparam("after")).scalar_subquery()
_WAITING = Prepared(_URGENT)
_WAITING_AFTER = Prepared(
    _URGENT.where(tuple_(RequestRow.approve_by, RequestRow.id) > tuple_(_EDGE, bindparam("after")))
)
_ONE = Prepared(_found().where(RequestRow.id == bindparam("request")))
_MINE = _newest_first(_found().where(RequestRow.requester == bindparam("staff")))
_OF_TENANT = RequestRow.tenant == bindparam("tenant")
_IN_STATES = RequestRow.state.in_(bindparam("states", expanding=True))
_RECENT = {
    (False, False): _newest_first(_found()),
    (True, False): _newest_first(_found().where(_OF_TENANT)),
    (False, True): _newest_first(_found().where(_IN_STATES)),
    (True, True): _newest_first(_found().where(_OF_TENANT, _IN_STATES)),
}
# A tenant's ended requests grow for ever, while the clocks bound how many are open anywhere: those are looked through.
_OPEN_OF_TENANT = _newest_first(_found().where(func.coalesce(RequestRow.tenant, "") == bindparam("tenant"), _IN_STATES))
_LOOKS = table_of(RequestRenderedRow)
_SEEN = Prepared(
    select(_LOOKS.c.at).where(
        _LOOKS.c.request == bindparam("request"),
        _LOOKS.c.revision == bindparam("revision"),
        _LOOKS.c.staff == bindparam("staff"),
    )
)
_BALLOTS = table_of(RequestVoteRow)
_VOTES = Prepared(
    select(_BALLOTS)
    .where(_BALLOTS.c.request == bindparam("request"))
    .order_by(_BALLOTS.c.cast_at, _BALLOTS.c.revision, _BALLOTS.c.person)
)
