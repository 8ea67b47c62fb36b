"""An emergency: a tenant in trouble, an engineer who breaks glass on it, and those whom that skips."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, ReasonCode
from console.domain.reasons import Reason
from console.domain.requests import Request
from console.usecases.break_glass import Glass
from console.usecases.house import House
from console.usecases.outcomes import CountingDown
from console.usecases.propose_action import propose_action
from console.usecases.run_jobs import run_due_jobs
from tests.databases import ENGINES, HandClock
from tests.integration.stage import Stage, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import PEOPLE

FIRE = Reason(code=ReasonCode("BREAK_GLASS"), reference="INC-2301", note="Everybody is locked out.")


SUSPEND = ActionKey("tenant.suspend")


WHY = {"because": "The tenant floods everybody."}


@dataclass(frozen=True)
class Emergency:
    """A stage on which production burns."""

    stage: Stage
    clock: HandClock

    def open(self, who: str = "on_call", slug: str = "acme", reason: Reason = FIRE) -> None:
        self.stage.open(who, slug, reason)

    def smash(
        self,
        who: str = "on_call",
        slug: str = "acme",
        *,
        typed: str | None = None,
        drill: bool = False,
        house: House | None = None,
        reason: Reason = FIRE,
        key: ActionKey = SUSPEND,
        age_s: int = 0,
    ) -> Any:  # noqa: ANN401  any outcome
        house = house or self.stage.house
        actor = self.stage.actor(who)
        actor = replace(actor, stepped_up_at=self.clock.now() - timedelta(seconds=age_s))
        return propose_action(
            house,
            actor,
            key=key,
            tenant=tenant(slug),
            raw=WHY if key == SUSPEND else {},
            reason=reason,
            mark=None,
            form_id=self.stage.form(),
            glass=Glass(typed=slug if typed is None else typed, is_drill=drill),
        )

    def begun(self, **how: Any) -> Request:  # noqa: ANN401  as smash takes it
        answer = self.smash(**how)
        assert isinstance(answer, CountingDown), answer
        return answer.request

    def after(self, seconds: int) -> None:
        self.clock.pass_by(seconds=seconds)
        while run_due_jobs(self.stage.house, worker="w1", limit=20):
            pass

    def told(self, who: str) -> list[str]:
        with self.stage.storage.store.read() as unit:
            return [each.kind for each in unit.outbox.unread(PEOPLE[who].id, limit=20)]


@pytest.fixture(params=ENGINES)
def fire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emergency]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "zeta"], far=["faraway"])
        yield Emergency(stage, clock)


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code
