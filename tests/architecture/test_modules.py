"""What holds for every module: it can be imported first, it stays small, and it keeps to the rules of its ring."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.architecture.tree import ROOT, calls, imported, modules, tree

LONGEST_MODULE, AIM_MODULE = 350, 300
LONGEST_FUNCTION, AIM_FUNCTION = 90, 40
# What a web page may ask the house for; everything else goes through a use case.
OPEN_ROOMS = frozenset({"clock", "ids", "book", "identity"})
ROOMS = frozenset({"store", "planes", "fleet", "registry", "tickets", "billing", "passwords", "codes", *OPEN_ROOMS})
# The demo starts its receiver and its product as processes of their own: our interpreter, our modules, our files.
OWN_PROGRAMS = {("console.app.demo", "subprocess.Popen"), ("console.app.demo_product", "subprocess.Popen")}
# Where bytes leave or enter by the network, and whom they reach: docs/operations.md has a row for each that goes out.
NETWORK = (
    "authlib", "http", "httpcore2", "httpx", "requests", "smtplib", "socket", "socketserver", "ssl", "urllib.request",
    "urllib3",
)  # fmt: skip
OUTWARD = {
    "console.adapters.letter_sinks": "the mail server",
    "console.adapters.oidc_http": "the identity provider",
    "console.adapters.oidc": "the identity provider",
    "console.adapters.oidc_keys": "the identity provider",
    "console.adapters.oidc_claims": "the identity provider",
    "console.adapters.outbound_calls": "the billing provider",
    "console.adapters.outbound_http": "customers' endpoints",
    "console.adapters.outbound_pinning": "customers' endpoints",
    "console.adapters.demo.receiver": "",  # these four listen on this machine for the demo, and call that demo
    "console.adapters.fake_stripe.__main__": "",
    "console.adapters.fake_stripe.delivering": "",
    "console.app.demo_product": "",
}
CLOCKS = ("datetime.now", "datetime.utcnow", "date.today", "time.time", "datetime.datetime.now")
# The doctor compares this machine's clock with the database's; that is its whole point.
CLOCK_READERS = ("console.adapters.", "console.app", "console.cli.doctor")


def needs(name: str) -> set[str]:
    """Return the modules of ours that must be there before this one can be."""
    targets = imported(name).values()
    wanted = {target.replace(":", ".") for target in targets} | {target.split(":")[0] for target in targets}
    return {module for module in wanted if module in modules() and module != name}


def test_it_can_import_each_module_first() -> None:
    """No module waits for itself; imports stand at the top only, so that this is the whole truth."""
    left = {name: needs(name) for name in modules()}
    while ready := {name for name, wanted in left.items() if not wanted & left.keys()}:
        left = {name: wanted for name, wanted in left.items() if name not in ready}
    assert left == {}


def test_it_can_import_every_module() -> None:
    names = [name for name in modules() if not name.endswith("migrations.env")]  # that one is run by Alembic
    script = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    done = subprocess.run([sys.executable, "-c", script, *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_keeps_modules_and_functions_small(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    defined = {
        f"{name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name in modules()
        if ".migrations." not in name  # they are lists of columns, written once and never read again
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef)
    }
    with capsys.disabled():
        for what, sizes, aim in (("modules", lengths, AIM_MODULE), ("functions", defined, AIM_FUNCTION)):
            over = sorted(((size, name) for name, size in sizes.items() if size > aim), reverse=True)
            print(f"\n{what}: {len(sizes)}, over {aim} lines: {len(over)}", *over[:5])  # noqa: T201  a report
    assert {name for name, size in lengths.items() if size > LONGEST_MODULE} == set()
    assert {name for name, size in defined.items() if size > LONGEST_FUNCTION} == set()


def test_it_tells_contributors_the_lengths_that_it_holds_them_to() -> None:
    told = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    assert f"functions aim at {AIM_FUNCTION} lines and modules at {AIM_MODULE}" in told
    assert f"more than {LONGEST_FUNCTION} and {LONGEST_MODULE}" in told


def readers_of_clocks(names: Iterable[str]) -> list[str]:
    return [f"{name}: {call}" for name in names for call in calls(name) if call.endswith(CLOCKS)]


def test_it_reads_the_clock_in_one_place() -> None:
    strict = [name for name in modules() if not name.startswith(CLOCK_READERS)]
    assert readers_of_clocks(strict) == []
    assert readers_of_clocks(["console.adapters.clock"]), "the rule is able to find one"


def house_attributes(name: str) -> set[str]:
    """Return which rooms of the house a module enters."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute):
            holder = ast.unparse(node.value)
            if holder in {"house", "self._house", "asking.house()", "house()", "_web().house", "web.house"}:
                found.add(node.attr)
    return found


def test_it_leaves_the_house_to_the_use_cases() -> None:
    web = [name for name in modules() if name.startswith("console.web")]
    entered = {name: house_attributes(name) & ROOMS - OPEN_ROOMS for name in web}
    assert {name: rooms for name, rooms in entered.items() if rooms} == {}
    assert house_attributes("console.usecases.open_lease") & {"store"}, "the rule is able to find one"


@pytest.mark.checklist("V8.4.1")
def test_it_makes_scopes_in_one_place() -> None:
    makers = [name for name in modules() if any(call.split(".")[-1] == "TenantScope" for call in calls(name))]
    assert makers == ["console.usecases.scopes"]


def test_it_touches_the_browser_session_in_the_web_ring_only() -> None:
    for name in modules():
        subscripts = [n for n in ast.walk(tree(name)) if isinstance(n, ast.Subscript)]
        holders = {ast.unparse(node.value) for node in subscripts}
        assert name.startswith("console.web.sessions") or not holders & {"session", "flask.session"}, name


@pytest.mark.checklist("V13.2.4")
def test_it_reaches_out_in_listed_places_to_listed_hosts() -> None:
    """Everything that can open a connection stands in one list, and each host that is called in the documentation."""
    roots = tuple(f"{name}." for name in NETWORK)
    reaching = {
        name
        for name in modules()
        if any(f"{origin.replace(':', '.')}.".startswith(roots) for origin in imported(name).values())
    }
    assert reaching == set(OUTWARD)
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("## What goes out")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| ((?:the|customers') [^|]+) \|", section, re.MULTILINE))
    assert told == {whom for whom in OUTWARD.values() if whom}


@pytest.mark.checklist("V1.3.2")
def test_its_kits_and_examples_never_run_data_either() -> None:
    """What customers take over is held to the same: their product runs it."""
    forbidden = {"eval", "exec", "compile", "yaml.load", "os.system", "os.popen", "marshal.loads"}
    files = [path for folder in ("kits", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert files
    faults = [
        f"{path.relative_to(ROOT)}: {call}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for call in [ast.unparse(node.func)]
        if call in forbidden
        or call.startswith(("subprocess.", "pickle.", "shelve."))
        or call.endswith("template_string")
    ]
    assert faults == []


@pytest.mark.checklist("V1.2.5")
@pytest.mark.checklist("V1.3.2")
@pytest.mark.checklist("V1.5.2")
def test_it_never_runs_data() -> None:
    forbidden = {"eval", "exec", "compile", "yaml.load", "os.system", "os.popen", "marshal.loads"}
    faults = [
        f"{name}: {call}"
        for name in modules()
        for call in calls(name)
        if call in forbidden or call.startswith(("subprocess.", "pickle.", "shelve."))
        if (name, call) not in OWN_PROGRAMS
    ]
    assert faults == []
    templates = [f"{name}: {call}" for name in modules() for call in calls(name) if "render_template_string" in call]
    assert templates == []


def test_it_imports_at_the_top_of_a_module() -> None:
    inside = [
        f"{name}:{node.lineno}"
        for name in modules()
        for function in ast.walk(tree(name))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []
