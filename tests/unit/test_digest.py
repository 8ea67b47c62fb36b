"""The digest binds the meaning of a request: another meaning, another digest; another spelling, the same one.

Source: acceptance tests 16 and 20 of reference/governed-access.md.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from console.domain.canonical import NotCanonicalError, canonical_bytes, normal
from console.domain.changes import Change
from console.domain.ids import ActionKey, Digest, PersonKey, ReasonCode, TenantId
from console.domain.requests import Request
from tests.unit.proposals import SEEN, proposal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS | st.lists(TEXTS, max_size=3)
PARAMS = st.dictionaries(TEXTS, VALUES, max_size=5)


def digest(**other: object) -> Digest:
    return proposal(**other).recomputed_digest()


def with_params(params: Mapping[str, Any]) -> Digest:
    return digest(params=params)


ORIGINAL = digest()
OTHER_MEANINGS: dict[str, Request] = {
    "action": proposal(action=ActionKey("entitlement.end_override")),
    "action version": proposal(action_version=2),
    "tenant": proposal(tenant=TenantId("ten_acne")),
    "no tenant": proposal(tenant=None),
    "params": proposal(params={"feature": "seats", "value": 26, "until": "2026-12-01"}),
    "a param more": proposal(params={**proposal().params, "extra": ""}),
    "target type": proposal(preview=replace(SEEN, target_type="override")),
    "target id": proposal(preview=replace(SEEN, target_id="seat")),
    "after": proposal(preview=replace(SEEN, changes=(Change(field="Seats", before="10 seats", after="26 seats"),))),
    "before": proposal(preview=replace(SEEN, changes=(Change(field="Seats", before="11 seats", after="25 seats"),))),
    "order of changes": proposal(preview=replace(SEEN, changes=SEEN.changes[::-1])),
    "fingerprint": proposal(preview=replace(SEEN, fingerprint={"entitlement_version": 4, "plan": "team"})),
    "fingerprint type": proposal(preview=replace(SEEN, fingerprint={"entitlement_version": "3", "plan": "team"})),
    "reason code": proposal(reason=replace(proposal().reason, code=ReasonCode("INCIDENT_RESPONSE"))),
    "reference": proposal(reason=replace(proposal().reason, reference="CT-2026-0043")),
    "note": proposal(reason=replace(proposal().reason, note="x")),
    "requester": proposal(requester_person=PersonKey("local|stf_kim")),
    "end of approval": proposal(approve_by=proposal().approve_by + timedelta(microseconds=1)),
}


@pytest.mark.parametrize("changed", OTHER_MEANINGS.values(), ids=OTHER_MEANINGS)
def test_it_changes_with_every_part_that_an_approver_agrees_to(changed: Request) -> None:
    assert changed.recomputed_digest() != ORIGINAL


def test_all_those_changes_have_digests_of_their_own() -> None:
    assert len({request.recomputed_digest() for request in OTHER_MEANINGS.values()}) == len(OTHER_MEANINGS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {}),
        ({"a": ""}, {"a": None}),
        ({"a": 0}, {"a": False}),
        ({"a": 1}, {"a": True}),
        ({"a": []}, {"a": None}),
        ({"a": ["b"]}, {"a": "b"}),
        ({"a": ["b", "c"]}, {"a": ["c", "b"]}),
        ({"a": "b", "c": ""}, {"a": "", "c": "b"}),
        ({"a": "x"}, {"a": "X"}),
        ({"a": "x"}, {"a": "x "}),
        ({"a": "fi"}, {"a": "\ufb01"}),
    ],
)
def test_it_keeps_different_meanings_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert with_params(one) != with_params(other)


def test_it_ignores_how_the_same_meaning_is_spelt() -> None:
    composed, apart = "Zo\u00eb \u00c5ngstr\u00f6m", "Zoe\u0308 A\u030angstro\u0308m"
    assert with_params({"a": composed, "b": 1}) == with_params({"b": 1, "a": apart})
    assert with_params({composed: 1}) == with_params({apart: 1})
    assert with_params({"a": ("b", "c")}) == with_params({"a": ["b", "c"]})


@pytest.mark.parametrize("value", [1.0, float("nan"), b"1", {1, 2}, 2**53, "\ud800"])
def test_it_refuses_what_has_no_single_spelling(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        with_params({"a": value})


@given(PARAMS, st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(params: dict[str, Any], random: Any) -> None:  # noqa: ANN401
    assume(len({unicodedata.normalize("NFC", key) for key in params}) == len(params))
    keys = list(params)
    random.shuffle(keys)
    assert with_params({key: params[key] for key in keys}) == with_params(params)


@given(PARAMS, PARAMS)
def test_two_sets_of_parameters_share_a_digest_only_when_they_mean_the_same(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    for params in (one, other):
        assume(len({unicodedata.normalize("NFC", key) for key in params}) == len(params))
    is_same = canonical_bytes(normal(one)) == canonical_bytes(normal(other))
    assert (with_params(one) == with_params(other)) is is_same


@given(st.data())
def test_any_changed_character_changes_the_digest(data: st.DataObject) -> None:
    """Change one character of one text among params, tenant, target, reason and fingerprint."""
    texts = {
        "param": "2026-12-01",
        "tenant": "ten_acme",
        "target": "seats",
        "reference": "CT-2026-0042",
        "note": "agreed by mail",
        "fingerprint": "team",
    }

    def sealed(part: Mapping[str, str]) -> Digest:
        base = proposal()
        return digest(
            params={**base.params, "until": part["param"]},
            tenant=TenantId(part["tenant"]),
            preview=replace(SEEN, target_id=part["target"], fingerprint={"plan": part["fingerprint"]}),
            reason=replace(base.reason, reference=part["reference"], note=part["note"]),
        )

    name = data.draw(st.sampled_from(sorted(texts)))
    at = data.draw(st.integers(0, len(texts[name]) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]))
    edited = texts[name][:at] + letter + texts[name][at + 1 :]
    assume(unicodedata.normalize("NFC", edited) != texts[name])
    assert sealed(texts) != sealed({**texts, name: edited})
