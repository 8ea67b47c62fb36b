"""What is drawn without a template: everything put in is escaped, and nothing drawn once is shown for another."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from markupsafe import Markup

from console.web.compiling import LeanEnvironment
from console.web.marks import Marks
from console.web.paths import path_of

EVIL = '"><script>alert(1)</script>&'
SAFE = "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"
MOMENT = datetime(2026, 1, 5, 7, 3, 9, tzinfo=UTC)


@pytest.fixture
def marks() -> Marks:
    return Marks("/static/{}?v=1".format)


def test_every_text_is_escaped(marks: Marks) -> None:
    drawn = [
        marks.icon(EVIL, EVIL, EVIL),
        marks.badge(EVIL, EVIL, EVIL),
        marks.state(EVIL, EVIL),
        marks.copyable(EVIL, EVIL, EVIL),
        marks.countdown(MOMENT, EVIL, EVIL),
        marks.number(1, EVIL),
        marks.money(1, EVIL),
        marks.monogram(EVIL, 1, EVIL),
        marks.kbd(EVIL.replace(" ", "")),
    ]
    for each in drawn:
        assert SAFE in each
        assert "<script" not in each


def test_markup_never_stands_in_for_the_same_text(marks: Marks) -> None:
    assert "<b>x</b>" in marks.badge(Markup("<b>x</b>"))
    assert "&lt;b&gt;x&lt;/b&gt;" in marks.badge("<b>x</b>")


def test_moments_and_amounts_are_spelt_out(marks: Marks) -> None:
    assert marks.when(MOMENT) == (
        '<time datetime="2026-01-05T07:03:09Z" title="5 Jan 2026, 07:03:09 UTC" data-relative>5 Jan, 07:03 UTC</time>'
    )
    assert "data-relative" not in marks.when(MOMENT, is_relative=False)
    assert marks.minute(MOMENT) == '<time datetime="2026-01-05T07:03:09Z">5 Jan 2026, 07:03 UTC</time>'
    assert marks.day(MOMENT) == '<time datetime="2026-01-05">5 Jan 2026</time>'
    assert "−1,234.05 <" in marks.money(-123405, "EUR")  # noqa: RUF001  a minus sign
    assert "1,234 <" in marks.money(1234, "JPY", 0)
    assert marks.number(12345, "seats") == '<span class="num">12,345 seats</span>'


def test_templates_escape_texts_and_keep_markup() -> None:
    environment = LeanEnvironment(Flask("x"), autoescape=True)
    template = environment.from_string("{{ a }}|{{ b }}|{{ c }}{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}|{{ m(a) }}")
    assert template.render(a="<b>", b=Markup("<b>"), c=1) == "&lt;b&gt;|<b>|1|<i>&lt;b&gt;</i>"


def test_addresses_are_written_like_flask_writes_them() -> None:
    app = Flask("x")
    app.add_url_rule("/things/<name>", "thing", lambda name: name)
    with app.test_request_context():
        for name in ("plain-1_x", "Ünïcode", "a/b", "a b", "Place0Ofname", "", "a?b&c"):
            assert path_of("thing", name=name or "x", after=name) == app.url_for("thing", name=name or "x", after=name)
        assert path_of("thing", name="x", after=None, before=7) == "/things/x?before=7"


def test_an_option_says_its_value_once(marks: Marks) -> None:
    assert marks.option("lease.open", "lease.open", False) == "<option>lease.open</option>"
    assert marks.option("x", "Any", True) == '<option value="x" selected>Any</option>'
    assert marks.option(" two  words ", " two  words ", False) == '<option value=" two  words "> two  words </option>'
    assert marks.option(EVIL, EVIL, False) == f'<option value="{SAFE}">{SAFE}</option>'
