"""The answers of policy are values, and deny codes are stable words."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from console.domain.changes import Change, Preview
from console.domain.decisions import Allow, Deny, DenyCode, NeedsApproval, NeedsStepUp, Query
from console.domain.errors import (
    BadValueError,
    ConflictError,
    ConsoleError,
    NotFoundError,
    OutsideError,
    ScopeError,
    TrailUnavailableError,
)
from console.domain.ids import ActionKey, RuleId
from tests.unit.fakes import person

SOURCES = Path(__file__).parents[2] / "console"


def test_codes_are_snake_case_and_named_like_their_members() -> None:
    for code in DenyCode:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code.value)
        assert code.name.lower() == code.value


def test_a_question_carries_no_power_unless_it_is_given() -> None:
    robin = person("robin")
    query = Query(
        actor=robin.id, person=robin.person, roles=robin.roles, kind=robin.kind, action=ActionKey("home.read")
    )
    assert (query.tenant, query.leased_tenant, query.reason, query.step_up_age_s) == (None, None, None, -1)
    assert (query.requesters, query.facts) == (frozenset(), {})


@pytest.mark.parametrize(
    "answer",
    [
        Allow(rules=(RuleId("a"),)),
        NeedsApproval(rules=(), needs=()),
        NeedsStepUp(rules=(), max_age_s=600),
        Deny(code=DenyCode.NO_LEASE),
    ],
)
def test_answers_cannot_be_changed_afterwards(answer: object) -> None:
    with pytest.raises(FrozenInstanceError):
        answer.rules = ()  # type: ignore[attr-defined]  # that is the point


def test_a_preview_promises_nothing_unless_it_says_so() -> None:
    preview = Preview(sentence="x", changes=(Change(field="f", before=None, after="1"),), fingerprint={})
    assert (preview.facts, preview.warnings, preview.customer, preview.target_type) == ({}, (), "Nothing.", "tenant")


def test_errors_keep_their_code_as_sentence_and_their_facts() -> None:
    kinds = (ConsoleError, NotFoundError, ConflictError, ScopeError, TrailUnavailableError, BadValueError)
    assert len({kind.code for kind in (*kinds, OutsideError)}) == len(kinds) + 1
    for kind in kinds:
        assert str(kind()) == kind.code
        assert kind("said", field="x").facts == {"field": "x"}
    passing = OutsideError("slow", permanent=False, plane="eu")
    assert (passing.permanent, passing.facts, str(passing)) == (False, {"plane": "eu"}, "slow")
