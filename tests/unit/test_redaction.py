"""What may be shown of payloads and of arguments: the shape always, a secret never, a person never."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import redaction
from console.domain.redaction import REDACTED, is_secret_name, masked_answer, masked_payload, redacted, redacted_text

CANARY = "canary-7f3a"
SECRETS = ("secret", "client_secret", "token", "accessToken", "password", "passwd", "Authorization", "cookie",
           "Set-Cookie", "api_key", "apiKey", "key", "signing_key", "signature", "private", "credentials")  # fmt: skip
LOOKS = ("whsec_abc", "whsk_abc", "sk_live_1", "rk_live_1", "Bearer abc", "Basic abc", "eyJhbGciOiJI.e30.x")
PLAIN = ("run", "event", "endpoint", "keyboard", "monkey", "tenant", "count", "kind")


@pytest.mark.parametrize("name", SECRETS)
def test_it_knows_the_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert redacted({"list": [{"deep": {name: CANARY}}]}) == {"list": [{"deep": {name: REDACTED}}]}


@pytest.mark.parametrize("name", PLAIN)
def test_it_leaves_other_names_alone(name: str) -> None:
    assert not is_secret_name(name)
    assert redacted({name: CANARY}) == {name: CANARY}


@pytest.mark.parametrize("value", LOOKS)
def test_it_knows_a_secret_by_its_looks(value: str) -> None:
    assert redacted({"note": [value, "fine"]}) == {"note": [REDACTED, "fine"]}


def test_it_stops_where_nobody_would_read_on() -> None:
    deep: Any = CANARY
    for _ in range(40):
        deep = {"in": deep}
    assert CANARY not in json.dumps(redacted(deep))


_names = st.sampled_from([*SECRETS, *(name for name in PLAIN if name not in {"event", "kind"})])
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.just(CANARY)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=4)),
    max_leaves=20,
)


def secrets_in(value: Any, *, is_secret: bool = False) -> bool:  # noqa: ANN401  any JSON
    """Return whether a value under a secret's name is anything but taken out."""
    if is_secret:
        return bool(value != REDACTED)
    if isinstance(value, dict):
        return any(secrets_in(inner, is_secret=is_secret_name(name)) for name, inner in value.items())
    return isinstance(value, list) and any(map(secrets_in, value))


@given(_values)
def test_it_takes_every_secret_out_at_every_depth(value: Any) -> None:  # noqa: ANN401  any JSON
    assert not secrets_in(redacted(value))


@given(_values)
def test_it_shows_no_text_of_a_payload(value: Any) -> None:  # noqa: ANN401  any JSON
    assert CANARY not in masked_payload(json.dumps({"data": value}).encode())


def test_it_keeps_what_names_a_thing_and_masks_what_could_name_a_person() -> None:
    body = {
        "type": "invoice.paid", "livemode": True, "created": 1_795_238_358,
        "data": {"object": "invoice", "currency": "EUR", "email": "j@x.example", "amount": 12,
                 "status": "odd words here", "tags": [], "lines": [{"name": "Jo", "kind": None}]},
    }  # fmt: skip
    shown = masked_payload(json.dumps(body).encode())
    for kept in ('"type": "invoice.paid"', '"livemode": true', '"created": 1795238358', '"currency": "EUR"',
                 '"object": "invoice"', '"tags": []', '"kind": null', '"amount": •••', '"email": "•••"'):  # fmt: skip
        assert kept in shown, kept
    for gone in ("j@x", "12", "odd words", "Jo"):
        assert gone not in shown.replace("1795238358", ""), gone


@pytest.mark.parametrize(
    "name", ["ada@nordwind.example", "+49 170 1234567", "Ada Lovelace", "4111111111111111", "sk_live_9"]
)
def test_it_shows_no_name_that_is_somebodys(name: str) -> None:
    masked = masked_payload(json.dumps({"members": {name: {"type": "owner"}}}).encode())
    assert name not in masked
    assert '"members": {' in masked
    assert '"type": "owner"' in masked


def test_it_takes_addresses_and_secrets_out_of_the_names_of_arguments() -> None:
    assert redacted({"ada@nordwind.example": {"Bearer abc": 1}}) == {"\u2022\u2022\u2022": {f"Bearer {REDACTED}": 1}}


def test_it_shows_of_an_answer_what_a_machine_calls_the_fault() -> None:
    shown = masked_answer(json.dumps({"error": "bad_key", "code": 17, "reason": "Jo was here", "name": "Jo"}))
    assert '"error": "bad_key"' in shown
    assert '"code": 17' in shown
    assert "Jo" not in shown
    assert masked_answer("Jo was here") == "••• (11 bytes that are not JSON)"
    assert "bad_key" not in masked_payload(b'{"error": "bad_key"}')


@pytest.mark.parametrize("payload", [b"", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_it_bears_what_is_no_json(payload: bytes) -> None:
    assert masked_payload(payload).startswith("•••")


def test_a_payload_stops_where_nobody_would_read_on() -> None:
    deep: Any = 8_192
    for _ in range(40):
        deep = {"count": deep}
    shown = masked_payload(json.dumps(deep).encode())
    assert "8192" not in shown
    assert shown.count('"count": {') == 12
    assert '"count": •••' in shown


def test_it_cuts_what_is_long() -> None:
    shown = masked_payload(json.dumps({"rows": list(range(5_000)), "x" * 500: 1}).encode())
    assert shown.count("\n") == 200
    assert shown.endswith("more lines")
    assert "x" * 61 not in masked_payload(json.dumps({"x" * 500: 1}).encode())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("disk full after row 8,192", "disk full after row 8,192"),
        ("no room for ada@acme.example: 507", "no room for •••: 507"),
        ("mail to <jo@x.example> bounced", "mail to <•••> bounced"),
        ("507 (token=st_91c2, bucket b)", "507 (token=[redacted], bucket b)"),
        ('{"api_key": "a b", "n": 1}', '{"api_key": [redacted], "n": 1}'),
        ("Authorization: Bearer abc.def failed", "Authorization: [redacted] failed"),
        ("sent Basic YTpi to it", "sent Basic [redacted] to it"),
        ("key sk_live_1 and whsec_abc", "key [redacted] and [redacted]"),
    ],
)
def test_it_takes_secrets_and_addresses_out_of_a_text(text: str, shown: str) -> None:
    assert redacted_text(text) == shown


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_text_around_it_lets_a_secret_through(before: str, after: str) -> None:
    for secret in ("postgres://bob:hunter22@db/x", "access_token=hunter22", "hunter22@acme.example"):
        assert "hunter22" not in redacted_text(f"{before} {secret} {after}")


@pytest.mark.parametrize("piece", ["a", "-", "a@", "://", 'token="', "token=", "Basic ", "eyJaaaaaa"])
def test_it_ends_on_a_text_made_to_be_slow(piece: str) -> None:
    # A pattern that goes back and forth would keep the whole run waiting here for ever.
    assert "hunter22" not in redacted_text(f"{(piece * 4_000)[:4_000]} token=hunter22")


_PIECES = ("a", "B9", " ", "=", ":", '"', "/", "@", "x@y.example", "://", "u@h", "Bearer ", "bAsIc abc", "whsec_1",
           "WHSK_2", "sk_live", "rk_1", "eyJabcdefg.", "/customer/policy/", "/customer/consents/", "api_key", "apiKey=",
           "Token: 1", "secre\u017f",
           "\u212aey", "to\u212aen=1", "private", "pass", "word", "phrase", "\n", "-", "_", ",")  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_what_is_passed_over_quickly_is_what_no_pattern_changes(text: str) -> None:
    slowly = text
    for pattern, shown in redaction._IN_TEXT:
        slowly = pattern.sub(shown, slowly)
    assert redacted_text(text) == slowly
