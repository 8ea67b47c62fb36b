"""Every template compiles, names its page, and holds no script, no style and no rule about who may do what."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.web.cast import Cast
from tests.web.conftest import cast  # noqa: F401  a fixture

TEMPLATES = ROOT / "templates"
FILES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
PAGES = [name for name in FILES if "{% extends" in (TEMPLATES / name).read_text() and name.startswith("pages/")]
# A rule, what it looks for, and a line that it must find.
RULES = {
    "no |safe": (r"\|\s*safe\b", "{{ name | safe }}"),
    "no autoescape off": (r"autoescape\s+false", "{% autoescape false %}"),
    "no inline style": (r"<style|\sstyle\s*=", '<p style="color:red">'),
    "no inline script": (r"<script(?![^>]*\bsrc=)", "<script>x</script>"),
    "no script without nonce": (r"<script(?![^>]*\bnonce=)", '<script src="x"></script>'),
    "no on-handler": (r"<[^>]*\son[a-z]+\s*=\s*[\"']", '<a onclick="x()">'),
    "no javascript address": (r"javascript:", '<a href="javascript:x">'),
    "no foreign address": (r"(src|href|action)=[\"'](https?:)?//", '<img src="https://x.example/">'),
    "no role test": (r"\{%-?\s*(el)?if[^%]*(\broles?\s*==|\bin\s+[\w.]*roles)", "{% if 'x' in staff.roles %}"),
    "no id for style": (r"<[^>]*\sid=\"[A-Z]", '<p id="Big">'),
}
# A list of roles to choose from is a field of a form, not a rule.
EXCEPT = {("no role test", "fragments/param.html")}


@pytest.mark.parametrize("rule", list(RULES))
def test_it_keeps_the_rule_in_every_template(rule: str) -> None:
    pattern, bad = RULES[rule]
    assert re.search(pattern, bad), "the rule is able to find one"
    faults = []
    for name in FILES:
        text = re.sub(r"\{#.*?#\}", "", (TEMPLATES / name).read_text(), flags=re.DOTALL)
        if (rule, name) not in EXCEPT and re.search(pattern, text):
            faults.append(f"{name}: {re.search(pattern, text)}")
    assert faults == []


def test_it_compiles_every_template(cast: Cast) -> None:  # noqa: F811
    for name in FILES:
        assert cast.app.jinja_env.get_template(name).name == name


@pytest.mark.parametrize("name", PAGES)
def test_it_names_every_page(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    for block in ("title", "heading", "content"):
        assert f"block {block}" in text, f"{name} has no {block}"


def test_it_marks_every_element_that_htmx_moves() -> None:
    for name in FILES:
        text = re.sub(r"\{#.*?#\}", "", (TEMPLATES / name).read_text(), flags=re.DOTALL)
        for element in re.findall(r"<[a-z]+[^<]*?\shx-(?:get|post)=.*?>\s", text, re.DOTALL):
            assert "hx()" in element, (name, element[:200])


@pytest.mark.checklist("V1.3.7")
def test_it_builds_no_template_from_data() -> None:
    assert Path(TEMPLATES, "layouts", "page.html").is_file()
    computed = r"\{%\s*(include|import|from)\s+[a-z]"
    faults = [name for name in FILES if re.search(computed, (TEMPLATES / name).read_text())]
    assert faults == []
