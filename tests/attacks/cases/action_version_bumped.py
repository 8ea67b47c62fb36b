"""The action means something else by the time its approval is used."""

from dataclasses import replace
from types import MappingProxyType

from console.domain.ids import ActionKey
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.4.2", "V2.3.4")


def attack(door: Door) -> Attempts:
    """Deploy a new version of the action between approval and run."""
    request = door.approved()
    key = ActionKey("entitlement.override")
    registry = door.cast.house.registry
    door.refurnish(
        registry=MappingProxyType({**registry, key: replace(registry[key], version=registry[key].version + 1)})
    )
    agent = door.enter()
    attempts = door.attempts(409, "request.execute_refused", code="action_changed")
    attempts.post(agent, f"/requests/{request}/execution")
    return attempts
