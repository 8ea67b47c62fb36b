"""Every route is classified, and every change goes through a use case."""

import ast

import pytest

from console.web import gate
from tests.architecture.tree import functions, imported, modules
from tests.web.cast import Cast, on_stage  # noqa: F401  `cast` is a fixture's type
from tests.web.conftest import cast  # noqa: F401  a fixture

# Takes a browser's report of a broken content policy: one log line, nothing stored.
NO_USE_CASE = frozenset({"system.report"})


def reached(module: str, name: str, seen: set[str]) -> set[str]:
    """Return the use cases that a function of the web ring calls, itself or through others of the ring."""
    mark = f"{module}:{name}"
    if mark in seen or name not in functions(module):
        return set()
    seen.add(mark)
    origins = imported(module)
    found: set[str] = set()
    for node in ast.walk(functions(module)[name]):
        word = node.id if isinstance(node, ast.Name) else ""
        origin = origins.get(word, "")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            holder = origins.get(node.value.id, "").replace(":", ".")
            origin, word = (f"{holder}:{node.attr}", node.attr) if holder.startswith("console.") else (origin, word)
        if origin.startswith("console.usecases."):
            found.add(origin)
        elif origin.startswith("console.web."):
            source, _, target = origin.partition(":")
            found |= reached(source, target, seen) if source in modules() else set()
        elif word in functions(module):
            found |= reached(module, word, seen)
    return {origin for origin in found if origin.split(":")[1][:1].islower()}


@pytest.mark.checklist("V15.2.3")
def test_it_classifies_every_endpoint(cast: Cast) -> None:  # noqa: F811
    assert [name for name in cast.app.view_functions if gate.kind_of(cast.app, name) is None] == []


def test_it_names_a_use_case_in_everything_that_changes(cast: Cast) -> None:  # noqa: F811
    without = []
    for rule in cast.app.url_map.iter_rules():
        view = cast.app.view_functions[rule.endpoint]
        if "POST" in (rule.methods or ()) and rule.endpoint not in NO_USE_CASE:
            inner = getattr(view, "__wrapped__", view)
            if not reached(inner.__module__, inner.__name__, set()):
                without.append(rule.endpoint)
    assert without == []


@pytest.mark.checklist("V2.3.5")
def test_it_lets_nobody_without_a_session_reach_a_vote(cast: Cast) -> None:  # noqa: F811
    vote = "console.usecases.vote_on_request:vote_on_request"
    ways = {}
    for endpoint, view in cast.app.view_functions.items():
        inner = getattr(view, "__wrapped__", view)
        if inner.__module__ in modules() and vote in reached(inner.__module__, inner.__name__, set()):
            ways[endpoint] = gate.kind_of(cast.app, endpoint)
    assert ways["requests.vote"] is gate.Gate.SIGNED_IN
    assert set(ways.values()) == {gate.Gate.SIGNED_IN}
    assert [name for name in modules() if vote in imported(name).values()] == ["console.web.views.requests"]


def test_it_takes_only_get_and_post(cast: Cast) -> None:  # noqa: F811
    rules = [rule for rule in cast.app.url_map.iter_rules() if rule.endpoint != "static"]
    assert {method for rule in rules for method in rule.methods or ()} <= {"GET", "HEAD", "POST"}
