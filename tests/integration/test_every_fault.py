"""Every governed action while its database fails at one step after another: nothing half, untold or stuck."""

from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import TrailUnavailableError
from console.storage.trail import StoredTrail
from tests.integration.fault_walk import walked
from tests.web.matrix_trials import TRIALS

STRIDE = 13  # of statements; every commit fails, before it is kept and after
PARTS = 6


@pytest.mark.checklist("V2.3.3")
@pytest.mark.checklist("V16.5.3")
@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_an_action_comes_to_the_same_end_whatever_failed_on_the_way(part: int, tmp_path: Path) -> None:
    wrong = [
        fault
        for number, key in enumerate(sorted(TRIALS))
        if number % PARTS == part
        for fault in walked(tmp_path / f"{number}.db", key, stride=STRIDE, offset=number)
    ]
    assert not wrong, "\n".join(wrong)


def test_its_walk_would_catch_an_entry_that_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = StoredTrail.emit

    def careless(self: StoredTrail, *arguments: Any, **named: Any) -> object:  # noqa: ANN401
        try:
            return real(self, *arguments, **named)
        except TrailUnavailableError:
            self.has_failed = False
            return "ent_lost"

    monkeypatch.setattr(StoredTrail, "emit", careless)
    wrong = list(walked(tmp_path / "seeded.db", "tenant.add_note", stride=1, offset=0))
    assert any("nobody noticed" in fault for fault in wrong)
    assert any("'action.executed': (1, 0)" in fault for fault in wrong)
