"""The pattern of a body follows whatever the console seals, and never vouches for what is not canonical."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.canonical import is_canonical
from console.domain.entries import CATALOGUE, STRANGER, EntryDraft, Program, Writer, seal_body
from console.domain.entry_form import Followed, followed
from tests.unit.entry_drafts import FULL, sealed

LEAF = "0f" * 32
WRITER = Writer(id="wri_1", n=12, prev=LEAF)
SEALED = seal_body(replace(FULL, facts={"hits": 3, "is_new": True}), uid="ent_1", ts_us=9**16, writer=WRITER).decode()


def seen(body: str) -> Followed | None:
    return followed(body.encode(), body)


def test_it_follows_a_body_with_every_field() -> None:
    assert seen(SEALED) == ("wri_1", 12, LEAF, True)
    known = replace(WRITER, program=Program(build="0.1.0", host="console-1"))
    assert seen(seal_body(FULL, uid="ent_1", ts_us=9**16, writer=known).decode()) == ("wri_1", 12, LEAF, True)
    assert seen(sealed(EntryDraft(action="home.read", actor=STRANGER)).decode()) == ("w1", 1, None, False)


@pytest.mark.parametrize("action", CATALOGUE)
def test_it_follows_every_action_of_the_catalogue(action: str) -> None:
    draft = replace(FULL, action=action, kind=None, outcome=None)
    assert seen(sealed(draft).decode()) is not None


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"v":1', '"v": 1'),
        ('"v":1', '"v":01'),
        ('"v":1', '"v":1.0'),
        ('"records":7', '"records":-0'),
        ('"records":7', '"records":+7'),
        ('"records":7', '"records":9007199254740992'),
        ('"records":7', '"records":70000000000000000'),
        ('"hits":3', '"hits":3.5'),
        ('"hits":3', '"hits":3,"hits":3'),
        ('"hits":3', '"zeta":3'),
        ('"hits":3', '"Hits":3'),
        ('"name":"Mara Lind"', '"name":"Mara\\u0020Lind"'),
        ('"name":"Mara Lind"', '"name":"Mara\nLind"'),
        ('"name":"Mara Lind"', '"name":"Mara" ,"x":"Lind"'),
        ('"uid":"ent_1","v":1', '"v":1,"uid":"ent_1"'),
        ('"error":"remote_refused",', ""),
    ],
)
def test_it_does_not_vouch_for_another_spelling(was: str, becomes: str) -> None:
    assert SEALED.count(was) == 1
    assert seen(SEALED.replace(was, becomes)) is None


def test_it_leaves_texts_with_escapes_to_the_parser() -> None:
    body = sealed(replace(FULL, error='a "quoted" one')).decode()
    assert is_canonical(body.encode())
    assert seen(body) is None


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(SEALED)), st.integers(0, 12), st.text('{}[]",:\\0123456789-.eabtrufalsn \n\ud7ff', max_size=12)
)
def test_whatever_it_follows_is_canonical(start: int, length: int, put_in: str) -> None:
    body = SEALED[:start] + put_in + SEALED[start + length :]
    found = seen(body)
    if found is not None:
        assert is_canonical(body.encode())
        assert json.loads(body)["w"] == list(found[:3])
        assert (json.loads(body)["execution"] is not None) == found[3]
