"""The list of actions: every one usable, every broken one named, and other packages add theirs by entry point."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from console.actions import registry
from console.actions.registry import GROUP, OWN, ActionFaultsError, registered
from console.actions.tenant.add_note import ACTION as NOTE
from console.domain.ids import ActionKey
from console.ports.actions import Action, Input, ParamField, no_choices, no_current
from tests.policy.governed import GOVERNED
from tests.unit.fakes import FakePlane, Unchanged, fault_of, tools

PACKAGE = Path(__file__).parents[1] / "example_package"
KEY = "example.mark_reviewed"


@pytest.fixture
def example_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the example package for one test, as a folder with its dist-info on the path."""
    monkeypatch.syspath_prepend(PACKAGE)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "sallyport_example"]:
        del sys.modules[name]


def faults_of(*actions: Action[Any], monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setattr(registry, "OWN", actions)
    with pytest.raises(ActionFaultsError) as raised:
        registered([])
    return raised.value.faults


def test_it_lists_our_own_actions_by_key() -> None:
    found = registered([])
    assert list(found) == [action.key for action in OWN]
    assert all(key == action.key for key, action in found.items())


def test_it_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        registered([])[NOTE.key] = NOTE  # type: ignore[index]  # that is the point


def test_it_agrees_with_what_policy_is_told_of_the_actions() -> None:
    assert {(action.key, action.effect, action.reach.value) for action in OWN} == set(GOVERNED)


@pytest.mark.parametrize("action", OWN, ids=lambda action: action.key)
def test_every_action_can_be_asked_for(action: Action[Any]) -> None:
    choices = [field.name for field in action.fields if field.input is Input.CHOICE]
    assert not choices or action.choices is not no_choices
    assert action.title
    assert action.button
    assert action.icon
    assert action.documentation.endswith(".")
    assert action.undo is None or action.undo in registered([])
    for field in action.fields:
        assert field.label
        assert bool(field.pattern) == bool(field.pattern_example)


def test_actions_without_choices_or_current_values_have_none() -> None:
    assert no_choices("x", tools(FakePlane())) == ()
    assert no_current({}, tools(FakePlane())) == {}


def test_tools_hold_only_what_was_declared() -> None:
    with pytest.raises(RuntimeError, match=r"declared Reach\.CONTROL"):
        tools().plane()
    with pytest.raises(RuntimeError, match=r"declared Reach\.TENANT"):
        tools().books()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (replace(NOTE, key=ActionKey("note")), "noun.verb"),
        (replace(NOTE, key=ActionKey("Tenant.Add")), "noun.verb"),
        (replace(NOTE, key=ActionKey("tenant.add.note")), "noun.verb"),
        (replace(NOTE, key=ActionKey("tenant._")), "noun.verb"),
        (replace(NOTE, key=ActionKey("tenänt.note")), "noun.verb"),
        (replace(NOTE, version=0), "versions start at 1"),
        (replace(NOTE, fields=NOTE.fields * 2), "two fields share a name"),
        (
            replace(NOTE, fields=(ParamField(name="n", label="N", input=Input.INTEGER, least=1),)),
            "least and most value",
        ),
        (replace(NOTE, documentation=" "), "say in a sentence"),
        (replace(NOTE, customer_sees=""), "what the customer sees"),
    ],
)
def test_it_refuses_a_broken_definition(broken: Action[Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of(broken, monkeypatch=monkeypatch)
    assert words in fault
    assert fault.startswith(f"Action {broken.key}")


def test_it_names_all_faults_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = faults_of(replace(NOTE, version=0), replace(NOTE, documentation=""), monkeypatch=monkeypatch)
    assert len(found) == 3
    assert found[-1] == "Action tenant.add_note is defined twice: rename one of them."


@pytest.mark.usefixtures("example_package")
def test_another_package_adds_its_action_by_entry_point() -> None:
    point = EntryPoint(name="mark_reviewed", value="sallyport_example.mark_reviewed:ACTION", group=GROUP)
    assert KEY in registered([point])


@pytest.mark.usefixtures("example_package")
def test_an_installed_package_is_found_without_being_named() -> None:
    assert [point.name for point in entry_points(group=GROUP)] == ["mark_reviewed"]
    found = registered()
    assert list(found) == [*(action.key for action in OWN), KEY]


def test_without_that_package_nothing_is_found() -> None:
    assert [key for key in registered() if key == KEY] == []


@pytest.mark.usefixtures("example_package")
def test_the_added_action_previews_and_applies_like_our_own() -> None:
    action = next(action for key, action in registered().items() if key == KEY)
    plane = FakePlane()
    params = action.build({"on": date(2026, 11, 21)})
    with Unchanged(plane):
        assert action.preview(params, tools(plane)).sentence == "Mark as reviewed on 2026-11-21"
        assert fault_of(action.preview, action.build({"on": date(2026, 11, 22)}), tools(plane))[0] == "on"
    action.apply(params, tools(plane))
    assert [note.text for note in plane.kept_notes] == ["Reviewed on 2026-11-21."]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("console.domain.ids:ActionKey", "names no Action: point it at one"),
        ("console.no_such_module:ACTION", "cannot be loaded"),
        ("console.actions.registry:NO_SUCH_NAME", "cannot be loaded"),
    ],
)
def test_it_names_the_entry_point_that_cannot_be_used(value: str, words: str) -> None:
    with pytest.raises(ActionFaultsError, match=words) as raised:
        registered([EntryPoint(name="broken", value=value, group=GROUP)])
    assert raised.value.code == "action_faults"
    assert raised.value.faults[0].startswith("Entry point broken of sallyport.actions")
