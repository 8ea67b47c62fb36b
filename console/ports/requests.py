"""Requests and votes as the control store keeps them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import ExecutionId, RequestId, StaffId, TenantId
from console.domain.requests import Request, State, Vote
from console.domain.staff import Role


class RequestBook(Protocol):
    """Reads and writes requests inside one unit of work; every write is fenced by state and version."""

    def add(self, request: Request) -> None:
        """Store a new request and its first revision. Raises: ConflictError when its id is taken."""
        ...

    def get(self, request: RequestId) -> Request | None:
        """Return a request with its newest revision."""
        ...

    def move(self, request: Request, to: State, **fields: object) -> bool:
        """Change state by ONE conditional UPDATE on (id, state, version); False means somebody was faster.

        Shape: `fields` are columns of Request that change with it (`execute_by`, `execution`, `executor`, `started_at`,
        `finished_at`, `outcome`, `ended_because`); `version` grows by one.
        """
        ...

    def revise(self, before: Request, after: Request) -> bool:
        """Store a new revision under the same fence and void the votes of the old one; False means too late."""
        ...

    def revisions(self, request: RequestId) -> Sequence[Request]:
        """Return every revision, oldest first."""
        ...

    def add_vote(self, vote: Vote) -> bool:
        """Store a vote; False when this natural person voted on this revision before (unique key)."""
        ...

    def votes(self, request: RequestId) -> Sequence[Vote]:
        """Return all votes on all revisions, oldest first."""
        ...

    def void_votes(self, request: RequestId, *, because: str, staff: Collection[StaffId] | None = None) -> int:
        """Void votes that still count (all, or those of some staff) and return how many."""
        ...

    def rendered(self, request: RequestId, *, revision: int, staff: StaffId, at: datetime) -> None:
        """Remember that the diff of a revision was shown to a person."""
        ...

    def was_rendered(self, request: RequestId, *, revision: int, staff: StaffId) -> bool:
        """Return whether the diff of a revision was shown to a person."""
        ...

    def waiting_for(
        self, staff: StaffId, roles: Collection[Role], *, now: datetime, after: RequestId | None, limit: int
    ) -> Sequence[Request]:
        """Return pending requests that a holder of the roles could still vote on, oldest deadline first."""
        ...

    def count_waiting_for(self, staff: StaffId, roles: Collection[Role], *, now: datetime, most: int) -> int:
        """Return how many wait, counting no further than `most`."""
        ...

    def mine(self, staff: StaffId, *, after: RequestId | None, limit: int) -> Sequence[Request]:
        """Return a person's own requests, newest first."""
        ...

    def recent(
        self, *, states: Collection[State], tenant: TenantId | None, after: RequestId | None, limit: int
    ) -> Sequence[Request]:
        """Return requests of everybody, newest first."""
        ...

    def open_of_requester(self, staff: StaffId) -> Sequence[Request]:
        """Return a person's pending and approved requests."""
        ...

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Request]:
        """Return pending or approved requests whose clock has run out."""
        ...

    def executing(self, *, started_before: datetime, limit: int) -> Sequence[Request]:
        """Return executions that never reported back."""
        ...

    def by_execution(self, execution: ExecutionId) -> Request | None:
        """Return the request behind an execution."""
        ...
