"""Hand an action its tools: one tenant or the control books, never both more than it declared."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from console.domain.decisions import Fact
from console.domain.ids import StaffId
from console.domain.reasons import Reason
from console.domain.requests import Request, Vote
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow, TenantScope
from console.ports.action_tools import Tools
from console.ports.actions import Action, Landing, Reach
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.control_tools import UnitTools
from console.usecases.house import House
from console.usecases.scopes import tenant_data


def tools_for(
    house: House,
    unit: ControlUnit,
    action: Action[Any],
    *,
    actor: Actor,
    requester: tuple[StaffId, str],
    reason: Reason,
    row: DirectoryRow | None,
    plane: TenantPlane | None,
    now: datetime,
    running: Request | None = None,
) -> Tools:
    """Return the tools for one preview or one execution.

    Shape: `requester` is id and name of the person who asked, `actor` the one who acts now; control books go to CONTROL
    actions, to TENANT actions that write or stay there, and to one that declared `touches_directory` and runs in this
    very transaction; `running` is the request that is being executed, None for a preview.
    """
    shares = plane is not None and row is not None and house.planes.shares_control(row.plane)
    needs_books = action.reach is Reach.CONTROL or action.lands is not Landing.PLANE
    needs_books = needs_books or (action.touches_directory and shares)
    tenant = None if row is None else row.id
    return Tools(
        now=now,
        ids=house.ids,
        requester=requester[0],
        requester_name=requester[1],
        reason=reason,
        tenant=plane if action.reach is Reach.TENANT else None,
        directory_row=row,
        control=UnitTools(house=house, unit=unit, actor=actor, tenant=tenant) if needs_books else None,
        provider=house.provider,
        customer_claims=house.customer_claims,
        outbound=house.outbound,
        webhook_keys=house.webhook_keys,
        shown_seconds=house.book.limits.reveal_remask_seconds,
        top_up_minutes=house.book.limits.top_up_minutes,
        top_up_most_tenants=house.book.limits.top_up_most_tenants,
        execution=None if running is None else running.execution,
        request=None if running is None else running.id,
        agreed=() if running is None else counting_votes(unit, running),
    )


def counting_votes(unit: ControlUnit, request: Request) -> tuple[Vote, ...]:
    """Return the votes that stand on what a request says now."""
    votes = unit.requests.votes(request.id)
    return tuple(v for v in votes if v.revision == request.revision and v.voided_because is None)


@contextmanager
def reading_tools(
    house: House,
    unit: ControlUnit,
    action: Action[Any],
    *,
    actor: Actor,
    requester: tuple[StaffId, str],
    reason: Reason,
    row: DirectoryRow | None,
    scope: TenantScope | None,
    now: datetime,
) -> Iterator[Tools]:
    """Open the tools of a preview; a tenant on another plane is opened for reading only."""
    if scope is None or action.lands is Landing.BOOKS_ALONE:
        yield tools_for(
            house, unit, action, actor=actor, requester=requester, reason=reason, row=row, plane=None, now=now
        )
        return
    with tenant_data(house, unit, scope) as plane:
        yield tools_for(
            house, unit, action, actor=actor, requester=requester, reason=reason, row=row, plane=plane, now=now
        )


def budget_facts(house: House, unit: ControlUnit, action: Action[Any], actor: Actor, now: datetime) -> dict[str, Fact]:
    """Return how often the actor has used a counted action in the last hour."""
    if action.budget is None:
        return {}
    unit.throttles.lock(action.budget, actor.staff)
    used = unit.throttles.count(action.budget, actor.staff, since=now - timedelta(hours=1))
    return {f"{action.budget}_last_hour": used}
