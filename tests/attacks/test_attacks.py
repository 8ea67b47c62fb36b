"""Every attack in cases/ is refused, changes nothing, and leaves exactly the entries that tell of it."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.attacks.door import Attempt, Attempts, Door, opened_door

FOLDER = Path(__file__).parent / "cases"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
FEWEST = 30


def case(name: str) -> ModuleType:
    return importlib.import_module(f"tests.attacks.cases.{name}")


def marked(name: str) -> object:
    """Return the parameter of one case, marked with the checklist lines that it proves."""
    return pytest.param(name, marks=[pytest.mark.checklist(line) for line in case(name).CHECKLIST])


def fault(attempt: Attempt, attempts: Attempts) -> str | None:
    """Return what went wrong with one attempt, or None."""
    if attempt.said not in attempt.refused:
        return f"answered {attempt.said}, not {sorted(map(str, attempt.refused))}"
    if attempt.changed - attempt.settles:
        return f"changed {sorted(attempt.changed - attempt.settles)}"
    if attempt.denied != attempt.recorded:
        return f"left {attempt.denied or 'no entry'} instead of {attempt.recorded or 'none'}"
    if attempts.code is not None and set(attempt.codes) != {attempts.code}:
        return f"was recorded as {attempt.codes}, not {attempts.code}"
    return None


@pytest.mark.parametrize("name", [marked(name) for name in NAMES])
def test_it_refuses_and_records(name: str, tmp_path: Path) -> None:
    attack: Callable[[Door], Attempts | tuple[Attempts, ...]] = case(name).attack
    with opened_door(tmp_path / "attack.db") as door:
        answer = attack(door)
    sheets = answer if isinstance(answer, tuple) else (answer,)
    assert sheets
    faults = []
    for sheet in sheets:
        assert sheet.made, "nothing was tried"
        assert bool(sheet.recorded) != bool(sheet.unrecorded), "say which entry tells of it, or why none does"
        faults += [f"{attempt.what}: {said}" for attempt in sheet.made if (said := fault(attempt, sheet))]
    assert not faults, "\n".join(faults)


def test_it_knows_many_attacks() -> None:
    assert len(NAMES) >= FEWEST


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_each_attack_is(name: str) -> None:
    module = case(name)
    told = (module.__doc__ or "").strip()
    assert told.endswith(".")
    assert "\n" not in told
    assert module.CHECKLIST
