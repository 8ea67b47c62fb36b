"""A stage with a tenant here and one elsewhere, for requests between whose steps something else happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from console.domain.decisions import Deny, DenyCode
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import ActionKey, FreezeId, RequestId
from console.domain.requests import Request
from console.ports.actions import Action, Fault
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from tests.databases import HandClock
from tests.integration.stage import (
    CONTRACT,
    Stage,
    behind,
    book,
    by_hand,
    new_urls,
    opened_stage,
    settle_in,
)
from tests.web.cast import PEOPLE

NOWHERE = RequestId("req_none")
AGENT = "support_agent"


@contextmanager
def opened(path: Path, *keys: ActionKey) -> Iterator[Stage]:
    """Open a stage with a tenant here and one elsewhere; these actions are run by hand."""
    url, planes = new_urls("sqlite", path, str, far=True)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), *keys)) as made:
        settle_in(made, ["acme"], far=["zeta"])
        for slug in ("acme", "zeta"):
            made.open(AGENT, slug)
        yield made


def approved(stage: Stage, slug: str = "acme", value: int = 300) -> Request:
    return stage.approve("finance_lead", stage.filed(AGENT, slug, value)).request


def run(stage: Stage, request: Request, house: House | None = None, **changed: Any) -> object:  # noqa: ANN401
    actor = replace(stage.actor(AGENT), **changed)
    return execute_request(house or stage.house, actor, request_id=request.id)


def freeze(stage: Stage, who: str) -> None:
    frozen = Freeze(
        id=FreezeId(f"frz_{who}"), scope=FreezeScope.PERSON, subject=PEOPLE[who].id, name=who, is_drill=False,
        reason=CONTRACT, set_by=PEOPLE["on_call"].id, set_at=stage.house.clock.now(),
    )  # fmt: skip
    with stage.storage.store.write() as unit:
        unit.freezes.add(frozen)


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code


def released(stage: Stage, key: ActionKey, **changed: Any) -> House:  # noqa: ANN401  fields of Action
    """Return the house after a release in which an action works differently, though its version says otherwise."""
    newer: Action[Any] = replace(stage.house.registry[key], **changed)
    return behind(stage, registry={**stage.house.registry, key: newer})


def refusing(_values: object) -> object:
    raise Fault("value", "Nobody gets as many any more.")
