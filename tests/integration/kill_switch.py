"""A house whose kill switch is used, and the people who freeze, are frozen, and lift."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ActionKey, FreezeId, ReasonCode
from console.domain.reasons import Reason
from console.policy.book import MACHINERY
from console.usecases.outcomes import Ran, Waiting
from console.usecases.propose_action import propose_action
from tests.databases import ENGINES, HandClock
from tests.integration.stage import (
    NOTE,
    OVERRIDE,
    Stage,
    book,
    by_hand,
    new_urls,
    opened_stage,
    settle_in,
)
from tests.web.cast import PEOPLE

SET, LIFT, DRILL = ActionKey("freeze.set"), ActionKey("freeze.lift"), ActionKey("freeze.drill")


INCIDENT = Reason(code=ReasonCode("CONTAINMENT"), reference="INC-2301")


# What is never paused, and why: it reads, or it takes something away, or it is how a freeze is told and lifted.
READS = {verb for verb in MACHINERY if verb.endswith((".read", ".list", ".search", ".verify", ".take_file"))}


TAKES_AWAY = {
    "session.revoke", "lease.end", "request.cancel", "request.revoke", "staff.set_credentials", "impersonation.end",
    "product.rotate_key",
}  # fmt: skip


# One that runs is read afresh on every request of the product, freezes included (usecases/impersonation_standing.py).
LOOKS_BY_ITSELF = {"impersonation.hold"}


@dataclass(frozen=True)
class Switch:
    """A stage with two tenants, and the kill switch in reach."""

    stage: Stage
    clock: HandClock

    def control(self, who: str, key: ActionKey, raw: Mapping[str, str]) -> Any:  # noqa: ANN401  any outcome
        return propose_action(
            self.stage.house,
            self.stage.actor(who),
            key=key,
            tenant=None,
            raw=raw,
            reason=INCIDENT,
            mark=None,
            form_id=self.stage.form(),
        )

    def freeze(self, scope: str = "all", subject: str = "", who: str = "on_call") -> FreezeId:
        answer = self.control(who, SET, {"scope": scope, "subject": subject})
        assert isinstance(answer, Ran), answer
        with self.stage.storage.store.read() as unit:
            return unit.freezes.standing()[0].id

    def thaw(self, freeze: FreezeId, by: str = "on_call", second: str = "security_auditor") -> None:
        answer = self.control(by, LIFT, {"freeze": freeze})
        assert isinstance(answer, Waiting), answer
        voted = self.stage.approve(second, answer.request)
        assert isinstance(voted.execution, Ran), voted

    def vendor(self, who: str, name: str | None) -> None:
        with self.stage.storage.store.write() as unit:
            unit.staff.set_vendor(PEOPLE[who].id, name)

    def note(self, who: str = "support_agent", slug: str = "acme") -> Any:  # noqa: ANN401  any outcome
        return self.stage.ask(who, slug, NOTE, {"text": "Called back."})


def code(answer: object) -> DenyCode:
    assert isinstance(answer, Deny), answer
    return answer.code


@pytest.fixture(params=ENGINES)
def switch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Switch]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    url, planes = new_urls(request.param, tmp_path, create, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock, policy=by_hand(book(), OVERRIDE)) as stage:
        settle_in(stage, ["acme", "zeta"], far=["faraway"])
        yield Switch(stage, clock)
