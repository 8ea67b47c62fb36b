"""One execution at a time on one thing: what an action is derived from stands still until it has run, or it fails.

Every unit takes its locks in one order, so that nobody waits in a circle: the freeze, a counter or a turn, then rows of
staff, session, impersonation and lease; on a plane the tenant's turn before its mirror, an endpoint before what it is
sent.
"""

from typing import Any

from console.domain.changes import Preview
from console.domain.reasons import Effect
from console.domain.requests import Request
from console.domain.tenancy import TenantScope
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Landing
from console.ports.store import ControlUnit
from console.usecases.bind_repair import bound_again
from console.usecases.house import House
from console.usecases.scopes import plane_in

_TURN = "execution"


def take_turn(house: House, unit: ControlUnit, action: Action[Any], scope: TenantScope | None) -> None:
    """Wait until nobody else runs an action there, and keep others waiting until the unit ends.

    Shape: before the first look at what the action is derived from; there is the tenant, or without one the area of the
    action. What contains waits for nobody, and what only reads has nothing to wait for.
    """
    if action.effect is Effect.READ or action.key in house.book.containing:
        return
    unit.freezes.hold()  # whoever freezes waits for all of us, so nobody may come to it while others wait for them
    unit.throttles.lock(_TURN, scope.tenant if scope is not None else action.key.partition(".")[0])
    if scope is not None and action.moves_access and action.lands is Landing.PLANE:
        plane = plane_in(house, unit, scope)
        if plane is not None:
            plane.wait_for_turn()  # jobs change what decides access as well


def take_turn_there(unit: ControlUnit, action: Action[Any], params: object, request: Request, tools: Tools) -> None:
    """Be alone with a tenant on another plane, where others may have run since everything was checked.

    Raises: Fault when what the action is derived from has changed.
    """
    if tools.tenant is None or action.effect is Effect.READ:
        return
    tools.tenant.take_turn()
    current: Preview = bound_again(unit, action.preview(params, tools), request)
    if not current.is_as(request.preview):
        raise Fault("", "The tenant changed in the same moment; look at it again and ask anew.")
