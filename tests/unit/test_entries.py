"""No field of a draft can stay out of the sealed body, and the rules of the catalogue hold."""

import json
import typing
from dataclasses import field, fields, is_dataclass, make_dataclass, replace
from enum import Enum
from types import NoneType, UnionType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain.canonical import digest_hex, is_canonical
from console.domain.changes import Change
from console.domain.entries import (
    BODY_LIMIT,
    CATALOGUE,
    STRANGER,
    SYSTEM_ACTOR,
    ActorKind,
    ActorRef,
    EntryDraft,
    EntryError,
    Kind,
    Outcome,
    Program,
    RequestRef,
    Writer,
    WriterCounter,
    seal_body,
    told,
)
from console.domain.ids import ReasonCode
from console.domain.merkle import leaf_hash
from console.domain.reasons import Reason
from tests.unit.entry_drafts import FULL, LEAF_PATHS, body_of, part_types, sealed, with_leaf


def test_the_full_draft_fills_every_field_of_every_part() -> None:
    filled = set(part_types(EntryDraft))
    seen: set[type] = set()

    def visit(value: object) -> None:
        if is_dataclass(value):
            seen.add(type(value))
            for each in fields(value):
                assert getattr(value, each.name) not in (None, (), {}), (type(value), each.name)
                visit(getattr(value, each.name))
        if isinstance(value, tuple):
            for item in value:
                visit(item)

    visit(FULL)
    assert seen == filled
    assert len(filled) == 10


@pytest.mark.parametrize("path", LEAF_PATHS, ids=lambda path: ".".join(map(str, path)))
def test_it_seals_another_body_when_any_leaf_differs(path: tuple[str | int, ...]) -> None:
    changed = with_leaf(FULL, path)
    assert changed != FULL
    assert leaf_hash(sealed(FULL)) != leaf_hash(sealed(changed))
    before: Any = body_of(FULL)
    after: Any = body_of(changed)
    for step in path:
        key = step.rstrip("_") if isinstance(step, str) else step
        before, after = before[key], after[key]
        assert before != after


def test_it_gives_a_new_field_a_place_in_the_body() -> None:
    grown = make_dataclass("Grown", [("region", str, field(default="eu"))], bases=(EntryDraft,), frozen=True)
    draft = grown(action="home.read", actor=STRANGER)
    assert body_of(draft)["region"] == "eu"


def test_it_names_the_fields_of_the_body_once_and_for_all() -> None:
    assert " ".join(sorted(body_of(FULL))) == (
        "action actor authorisation changes class correlation effect error execution exposure facts governed kind "
        "outcome parent program reason request targets tenant truncated ts_us uid v verb w"
    )
    assert set(body_of(EntryDraft(action="home.read", actor=STRANGER))) == set(body_of(FULL))


def test_it_binds_uid_time_and_writer() -> None:
    bodies = {
        sealed(FULL),
        sealed(FULL, uid="ent_2"),
        sealed(FULL, ts_us=2),
        sealed(FULL, writer=Writer(id="w2", n=1, prev=None)),
        sealed(FULL, writer=Writer(id="w1", n=2, prev=None)),
        sealed(FULL, writer=Writer(id="w1", n=1, prev="00")),
    }
    assert len(bodies) == 6


def test_it_seals_a_golden_body() -> None:
    draft = EntryDraft(action="staff.sign_in", actor=ActorRef(id="stf_1", kind=ActorKind.STAFF, name="Zoë"))
    raw = seal_body(draft, uid="ent_1", ts_us=1_700_000_000_000_000, writer=Writer(id="w1", n=2, prev="ab"))
    assert raw.decode() == (
        '{"action":"staff.sign_in","actor":{"auth":null,"id":"stf_1","kind":"staff","name":"Zoë","roles":[],'
        '"session":null,"step_up_age_s":null},"authorisation":null,"changes":[],"class":"session","correlation":null,'
        '"effect":"write","error":null,"execution":null,"exposure":null,"facts":{},"governed":null,"kind":"session",'
        '"outcome":"success","parent":null,"program":null,"reason":null,"request":null,"targets":[],"tenant":null,"truncated":null,'
        '"ts_us":1700000000000000,"uid":"ent_1","v":1,"verb":"c","w":["w1",2,"ab"]}'
    )


def test_it_says_which_program_wrote_it_and_where() -> None:
    counter = WriterCounter("w1", Program(build="3f2a9c1", host="console-1"))
    body = json.loads(seal_body(FULL, uid="ent_1", ts_us=1, writer=counter.next()))
    assert body["program"] == {"build": "3f2a9c1", "host": "console-1"}
    assert body["w"] == ["w1", 1, None]


def drawn(hint: object) -> st.SearchStrategy[Any]:
    """Return values of a field's type; text includes what strangers send, NUL and lone surrogates."""
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in {UnionType, typing.Union}:
        return st.one_of([drawn(each) for each in arguments])
    if origin is tuple:
        return st.lists(drawn(arguments[0]), max_size=2).map(tuple)
    if origin is not None:
        return st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True), st.integers(-9, 9), max_size=2)
    if hint is NoneType:
        return st.none()
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{name: drawn(each) for name, each in typing.get_type_hints(hint).items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hint is int:
        return st.integers(-(2**53) + 1, 2**53 - 1)
    return st.text(st.characters(), max_size=6)


def lawful(draft: EntryDraft) -> EntryDraft:
    if draft.outcome is Outcome.DENIED or draft.kind is Kind.DENIED:
        draft = replace(draft, outcome=Outcome.DENIED, kind=Kind.DENIED)
    return replace(draft, parent=draft.parent or "ent_0", execution=draft.execution or "exe_0")


HINTS = typing.get_type_hints(EntryDraft)


DRAFTS = st.builds(
    EntryDraft,
    **{
        **{name: drawn(hint) for name, hint in HINTS.items()},
        "action": st.just("home.read"),
        "kind": st.sampled_from(Kind),
        "outcome": st.sampled_from(Outcome),
    },
).map(lawful)


@settings(max_examples=35, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(DRAFTS)
def test_it_seals_any_lawful_draft_canonically(draft: EntryDraft) -> None:
    raw = sealed(draft)
    assert is_canonical(raw)
    assert len(raw) <= BODY_LIMIT
    assert b"\\u0000" not in raw.replace(b"\\\\", b"")
    assert told(json.loads(raw)) == "opened the home page"


def test_it_replaces_what_no_database_can_hold() -> None:
    draft = replace(FULL, request=RequestRef(id="r", route="/a\x00b\ud800c", agent="fine é"))
    assert body_of(draft)["request"]["route"] == "/a\ufffdb\ufffdc"
    assert body_of(draft)["request"]["agent"] == "fine é"


def test_it_cuts_what_a_stranger_made_long() -> None:
    request = RequestRef(id="i" * 600, route="r" * 513, method="m" * 512, ip="p" * 9000, agent="a" * 9000)
    assert [len(value or "") for value in (request.id, request.route, request.ip, request.agent)] == [512] * 4
    assert request.route == "r" * 511 + "…"
    assert request.method == "m" * 512


def test_it_keeps_the_digest_of_changes_that_do_not_fit() -> None:
    changes = tuple(Change(field=f"f{at}", before=None, after="x" * 1000) for at in range(70))
    raw = sealed(replace(FULL, changes=changes))
    body = json.loads(raw)
    listed = [{"field": each.field, "before": each.before, "after": each.after} for each in changes]
    assert body["changes"] == []
    assert body["truncated"] == {"changes": 70, "sha256": digest_hex(listed)}
    assert is_canonical(raw)
    altered = (*changes[:-1], replace(changes[-1], after="y"))
    assert sealed(replace(FULL, changes=altered)) != raw


def test_it_holds_exactly_the_limit_and_not_a_byte_more() -> None:
    def draft(length: int) -> EntryDraft:
        return replace(FULL, changes=(Change(field="f", before=None, after="x" * length),))

    room = BODY_LIMIT - len(sealed(draft(0)))
    assert len(sealed(draft(room))) == BODY_LIMIT
    assert json.loads(sealed(draft(room)))["truncated"] is None
    assert json.loads(sealed(draft(room + 1)))["truncated"]["changes"] == 1


def test_it_refuses_an_entry_that_is_too_large_without_its_changes() -> None:
    draft = replace(FULL, reason=Reason(code=ReasonCode("ticket"), reference="x" * 70_000))
    with pytest.raises(EntryError):
        sealed(draft)


@pytest.mark.parametrize(
    "draft",
    [
        replace(FULL, action="staff.danced"),
        replace(FULL, action="invoice.credit"),
        replace(FULL, governed=None),
        replace(FULL, governed=""),
        replace(FULL, parent=None),
        replace(FULL, kind=Kind.INTENT, execution=None),
        replace(FULL, outcome=Outcome.DENIED),
        replace(FULL, kind=Kind.DENIED),
        replace(FULL, action="lease.refused", kind=Kind.ACTION, outcome=None),
        replace(FULL, facts={"Hits": 1}),
        replace(FULL, facts={"": 1}),
        replace(FULL, facts={"hits\n": 1}),
        replace(FULL, facts={"hits": 1.5}),  # type: ignore[dict-item]
        replace(FULL, facts={"hits": b"raw"}),  # type: ignore[dict-item]
    ],
)
def test_it_refuses_a_draft_that_breaks_a_rule(draft: EntryDraft) -> None:
    with pytest.raises(EntryError) as caught:
        sealed(draft)
    assert caught.value.code == "entry_invalid"


@pytest.mark.parametrize("action", CATALOGUE)
def test_it_takes_its_marks_from_the_catalogue(action: str) -> None:
    described = CATALOGUE[action]
    governed = "invoice.credit" if described.is_governed else None
    body = body_of(EntryDraft(action=action, actor=SYSTEM_ACTOR, governed=governed, execution="exe_1"))
    marks = (described.kind, described.verb, described.class_, described.effect, described.outcome)
    assert (body["kind"], body["verb"], body["class"], body["effect"], body["outcome"]) == marks
