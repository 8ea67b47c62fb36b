"""How templates are compiled here: as fast as Python allows, and meaning what Jinja means."""

from typing import Any

import pytest
from flask import Flask
from flask.templating import Environment
from jinja2 import DictLoader, StrictUndefined
from jinja2.exceptions import UndefinedError

from console.web.compiling import LeanEnvironment

_PARTS = {
    "parts.html": (
        "{% macro box(title, count=None, kind='plain') %}[{{ kind }}:{{ title }}"
        "{% if count is not none %}({{ count }}){% endif %}{% if caller is defined %}{{ caller() }}{% endif %}]"
        "{% endmacro %}"
        "{% macro text(text) %}<i>{{ text }}</i>{% endmacro %}"
        "{% macro many() %}{{ varargs|join('+') }}{{ kwargs.a }}{% endmacro %}"
    ),
    "base.html": "<{% block content required %}{% endblock %}>",
}
_PAGES = (
    "{% from 'parts.html' import box %}{{ box('<b>') }}{{ box('x', 3) }}{{ box(title='y', kind='warn') }}",
    "{% from 'parts.html' import box, text %}{% call box('x', kind='<') %}in {{ text('<b>') }}{% endcall %}",
    "{% from 'parts.html' import many %}{{ many(1, 2, a='<') }}",
    "{% import 'parts.html' as parts %}{% for each in rows %}{{ loop.index }}{{ parts.text(each.name) }}{% endfor %}",
    "{% extends 'base.html' %}{% block content %}{{ box_of(1, *[2], **{'c': 3}) }}{% endblock %}",
    "{{ row.name }}{{ row.items() | list | length }}{{ row.inner.name }}{{ thing.name }}{{ '{:,}'.format(1234) }}",
    (
        "{% macro tree(rows) %}{% for each in rows %}({{ each.name }}{{ tree(each.rows) }}){% endfor %}{% endmacro %}"
        "{{ tree(nested) }}"
    ),
    "{% set kept %}<u>{{ row.name }}</u>{% endset %}{{ kept }}{{ kept ~ '<' }}{{ none }}{{ 1.5 }}{{ true }}",
)


class _Thing:
    name = "<thing>"


_GIVEN: dict[str, Any] = {
    "row": {"name": "<row>", "inner": {"name": "&"}},
    "rows": [{"name": "a"}, {"name": "<"}],
    "nested": [{"name": "a", "rows": [{"name": "b", "rows": []}]}, {"name": "c", "rows": []}],
    "thing": _Thing(),
    "box_of": lambda *given, **named: f"{given}{named}<",
}


def _lean() -> LeanEnvironment:
    return LeanEnvironment(Flask("x"), autoescape=True, undefined=StrictUndefined, loader=DictLoader(_PARTS))


@pytest.mark.parametrize("page", _PAGES)
def test_a_template_says_what_it_says_in_plain_jinja(page: str) -> None:
    plain = Environment(Flask("x"), autoescape=True, undefined=StrictUndefined, loader=DictLoader(_PARTS))
    shown = plain.from_string(page).render(_GIVEN)
    assert _lean().from_string(page).render(_GIVEN) == shown
    assert shown


@pytest.mark.parametrize("page", ["{{ row.nothing }}", "{{ thing.nothing }}", "{{ nobody.name }}", "{{ nobody }}"])
def test_a_name_that_is_not_there_is_a_fault_and_never_an_empty_text(page: str) -> None:
    with pytest.raises((UndefinedError, KeyError, AttributeError)):
        _lean().from_string(page).render(_GIVEN)


@pytest.mark.parametrize("call", ["box()", "box('x', 1, 'k', 'more')", "box('x', colour='red')", "text(caller=1)"])
def test_a_macro_refuses_what_it_does_not_take(call: str) -> None:
    with pytest.raises((UndefinedError, TypeError)):
        _lean().from_string(f"{{% from 'parts.html' import box, text %}}{{{{ {call} }}}}").render(_GIVEN)
