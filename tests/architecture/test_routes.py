"""Every route is classified, every change goes through a use case, and every page is small and works before script."""

import ast
import re

import pytest

from console.web import gate
from tests.architecture.tree import functions, imported, modules
from tests.web.cast import Cast, on_stage  # noqa: F401  `cast` is a fixture's type
from tests.web.conftest import cast  # noqa: F401  a fixture

LARGEST_PAGE = 60_000
# The policy page holds every rule in words.
LARGER = {"/policy": 160_000}
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


def test_it_takes_only_get_and_post(cast: Cast) -> None:  # noqa: F811
    rules = [rule for rule in cast.app.url_map.iter_rules() if rule.endpoint != "static"]
    assert {method for rule in rules for method in rule.methods or ()} <= {"GET", "HEAD", "POST"}


@pytest.mark.checklist("V3.6.1")
@pytest.mark.checklist("V14.2.1")
@pytest.mark.parametrize("who", ["support_agent", "security_auditor", "on_call"])
def test_it_sends_small_pages_that_work_before_script(cast: Cast, who: str) -> None:  # noqa: F811
    browser = cast.sign_in(who)
    if who == "support_agent":
        cast.open_tenant(browser)
        tabs = [f"/t/nordwind/{tab}" for tab in ("", "members", "entitlements", "notes", "entries")]
        paths = [*tabs, "/search?q=nord", "/tenants", "/palette", "/t/nordwind/actions/entitlement.override"]
    elif who == "on_call":
        cast.open_tenant(browser, reason="INCIDENT_RESPONSE", reference="INC-2301")
        hooks = [f"/t/nordwind/webhooks{page}" for page in ("", "/deliveries", "/dead-letters", "/replays")]
        paths = [
            *hooks,
            "/operations",
            "/operations/jobs",
            "/operations/inbox",
            "/t/nordwind/actions/webhook.plan_replay",
        ]
    else:
        paths = ["/trail", "/staff", "/policy"]
    for path in ["/", "/account", "/requests", "/step-up", *paths]:
        text = browser.get(path).text
        assert len(text) < LARGER.get(path, LARGEST_PAGE), (path, len(text))
        assert re.search(r"<h1[ >]", text), path
        assert not re.search(r'(src|href|action)="(https?:)?//', text), path
        for element in re.findall(r"<(?:a|form)\b[^>]*\shx-(?:get|post)=[^>]*>", text):
            assert re.search(r'\s(href|action)="/', element), (path, element)
        assert browser.cookie("__Host-sallyport") not in text, path
        for form in re.findall(r"<form\b[^>]*>", text):
            assert 'action="/' in form, (path, form)
            assert 'method="' in form, (path, form)
        for form in re.findall(r'<form\b[^>]*method="post".*?</form>', text, re.DOTALL | re.IGNORECASE):
            assert 'name="csrf_token"' in form, (path, form[:200])
            assert "<button" in form, (path, form[:200])
