"""Records a form that no page of ours can have sent: fields that it does not have, or one field twice."""

from collections.abc import Iterable

from flask import request

from console.domain.decisions import DenyCode
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.web import asking


def record_strange(names: Iterable[str]) -> None:
    """Write one entry for this form when anything in it is strange."""
    if any(True for _name in names):
        refuse_at_the_door(
            asking.house(),
            asking.actor_if_any(),
            action="csrf.refused",
            code=DenyCode.BAD_PARAMETER,
            origin=asking.origin(),
            target=request.path,
        )
