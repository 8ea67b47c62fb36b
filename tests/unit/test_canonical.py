"""Canonical bytes equal RFC 8785 in our closed domain, and everything outside it is refused by its path."""

import json
import unicodedata
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.canonical import (
    DEEPEST,
    LARGEST,
    NotCanonicalError,
    canonical_bytes,
    digest_hex,
    exact,
    is_canonical,
    normal,
    parse_canonical,
    sha256_hex,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@settings(max_examples=150)
@given(VALUES)
def test_it_spells_every_value_as_rfc_8785_does(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(VALUES)
def test_it_reads_back_what_it_wrote(value: object) -> None:
    raw = canonical_bytes(value)
    assert parse_canonical(raw) == value
    assert is_canonical(raw)


@given(
    st.dictionaries(st.sampled_from(["a", "é", "ﬀ", "\U0001f600", "\ue000", "\uffff", "\U00010000"]), st.integers(0, 9))
)
def test_it_sorts_keys_by_utf_16_code_units(value: dict[str, int]) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


def test_it_sorts_an_emoji_before_the_private_use_area() -> None:
    assert canonical_bytes({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'.encode()


def test_it_escapes_only_what_json_demands() -> None:
    assert canonical_bytes('\x00\x1f\b\t\n\f\r"\\/\x7f\u2028é') == (
        '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\x7f\u2028é"'.encode()
    )


def test_it_takes_tuples_as_arrays_and_enum_members_as_their_text() -> None:
    assert canonical_bytes({"a": (1, Colour.RED), Colour.RED: None}) == b'{"a":[1,"red"],"red":null}'


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, "$"),
        (float("nan"), "$"),
        (float("inf"), "$"),
        ({"a": [0, -0.0]}, "$.a[1]"),
        ({"a": {"b": b"raw"}}, "$.a.b"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "$[0]"),
        ({1: 2}, "$"),
        ({None: 2}, "$"),
        ({"a": {1, 2}}, "$.a"),
        ({"a": object()}, "$.a"),
        ({"a": Number.ONE}, "$.a"),
        ([LARGEST + 1], "$[0]"),
        ([-LARGEST - 1], "$[0]"),
        (["fine", "\ud800"], "$[1]"),
        ({"\udfff": 1}, "$.\\udfff"),
    ],
)
def test_it_refuses_what_is_outside_the_domain_and_says_where(value: object, path: str) -> None:
    for spell in (canonical_bytes, normal, digest_hex):
        with pytest.raises(NotCanonicalError) as caught:
            spell(value)
        assert caught.value.facts["path"] == path
        assert caught.value.code == "not_canonical"


def test_it_takes_the_largest_exact_integers() -> None:
    assert canonical_bytes([LARGEST, -LARGEST]) == b"[9007199254740991,-9007199254740991]"


def test_it_refuses_nesting_that_a_verifier_could_not_follow() -> None:
    nested: list[object] = []
    deep = nested
    for _ in range(DEEPEST - 1):
        deep = [deep]
    assert is_canonical(canonical_bytes(deep))
    with pytest.raises(NotCanonicalError):
        canonical_bytes([deep])
    nested.append(nested)
    with pytest.raises(NotCanonicalError):
        canonical_bytes(nested)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b" 1",
        b"1 ",
        b"1.0",
        b"-0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"\xff",
        b"\xef\xbb\xbf1",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        '{"😀":1,"😀":1}'.encode(),
        b"[9007199254740992]",
        b"[-9007199254740992]",
        b'{"a":[0.5]}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'"\\u00e9"',
        b'"\\ud800"',
        b'"\\/"',
        b'"\\u001F"',
        b"01",
        b"9007199254740992",
        b"9" * 5000,
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b"1\n",
        '{"\ue000":1,"\U0001f600":2}'.encode(),
    ],
)
def test_it_knows_bytes_that_are_not_canonical(raw: bytes) -> None:
    assert not is_canonical(raw)
    with pytest.raises(NotCanonicalError):
        parse_canonical(raw)


@pytest.mark.parametrize("many", [1, 40, 200])
def test_it_looks_closer_at_what_is_long_or_beyond_the_basic_plane(many: int) -> None:
    value = [{"a": [at], "\U0001f600": "\U00010000", "\ue000": None} for at in range(many)]
    assert parse_canonical(canonical_bytes(value)) == value
    assert not is_canonical(canonical_bytes(value).replace(b'"a"', b'"\xf4\x80\x80\x80"'))


@given(VALUES)
def test_it_knows_that_a_pretty_spelling_is_not_canonical(value: object) -> None:
    pretty = json.dumps(value, ensure_ascii=False, indent=1).encode()
    assert is_canonical(pretty) == (pretty == canonical_bytes(value))


@given(VALUES)
def test_it_gives_the_same_digest_to_the_same_meaning(value: object) -> None:
    split = json.loads(unicodedata.normalize("NFD", json.dumps(value, ensure_ascii=False)))
    try:
        composed = normal(value)
    except NotCanonicalError:
        return  # two keys of this object mean the same
    assert normal(composed) == composed
    assert digest_hex(normal(split)) == digest_hex(composed)


def test_it_refuses_two_keys_that_mean_the_same() -> None:
    with pytest.raises(NotCanonicalError) as caught:
        normal({"x": {"é": 1, "e\u0301": 2}})
    assert caught.value.facts["path"] == "$.x.é"


def test_it_does_not_fold_compatibility_characters() -> None:
    assert normal("ﬀ①") == "ﬀ①"


def test_it_digests_exactly_the_canonical_bytes() -> None:
    assert digest_hex({"b": 1, "a": None}) == sha256(b'{"a":null,"b":1}').hexdigest()
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_hex("é") != digest_hex("e\u0301")


def test_it_copies_rather_than_shares() -> None:
    given_value = {"a": [1]}
    copied = normal(given_value)
    given_value["a"].append(2)
    assert copied == {"a": [1]}


@pytest.mark.parametrize("value", [LARGEST, -LARGEST, 0])
def test_a_number_that_every_language_holds_passes(value: int) -> None:
    assert exact(value) == value


@pytest.mark.parametrize("value", [LARGEST + 1, -LARGEST - 1, 2**64])
def test_a_number_that_another_language_would_round_is_refused(value: int) -> None:
    with pytest.raises(NotCanonicalError, match="not exact everywhere"):
        exact(value)
