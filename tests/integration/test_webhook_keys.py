"""Signatures after Standard Webhooks 1.0, held against the reference library in both directions."""

import base64
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from console.adapters.one_time_codes import SealedOneTimeCodes
from console.adapters.sealing import Seal, SealBrokenError
from console.adapters.webhook_keys import SealedWebhookKeys
from console.adapters.webhook_signatures import signature_fault
from console.domain.errors import BadValueError
from console.domain.ids import EndpointId, MessageId
from console.domain.webhooks import EndpointKey, KeyAlgorithm
from console.ports.sending import NewKey

SEALING = "sealing-0123456789abcdefghijklmnopqrstuv"
KEYS = SealedWebhookKeys(SEALING)
NOW = datetime.now(UTC).replace(microsecond=0)
MESSAGE = MessageId("msg_p5jXN8AQM9LWM0D4loKWxJek")
BODY = '{"test": 2432232314, "name": "Zoë"}'.encode()
# Source: the specification's own example
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
VECTOR_AT = datetime.fromtimestamp(1_614_265_330, UTC)
VECTOR_BODY = b'{"test": 2432232314}'


def key(made: NewKey, algorithm: KeyAlgorithm = KeyAlgorithm.V1) -> EndpointKey:
    return EndpointKey(
        id="whk_1", endpoint=EndpointId("whe_1"), algorithm=algorithm, sealed=made.sealed, public=made.public,
        created_at=NOW, expires_at=None,
    )  # fmt: skip


def signed(*made: NewKey, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    keys = [key(each, KeyAlgorithm.V1A if each.public else KeyAlgorithm.V1) for each in made]
    return dict(KEYS.headers(keys, message=MESSAGE, at=at, body=body))


def test_it_signs_the_vector_of_the_specification() -> None:
    headers = signed(KEYS.seal(VECTOR_SECRET), at=VECTOR_AT, body=VECTOR_BODY)
    assert headers == {"webhook-id": MESSAGE, "webhook-timestamp": "1614265330", "webhook-signature": VECTOR}


def test_the_reference_library_accepts_what_it_signs() -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    headers = signed(made, at=datetime.now(UTC))  # the library asks the real clock
    assert Webhook(made.secret).verify(BODY, headers) == {"test": 2432232314, "name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(BODY + b" ", signed(made))
    with pytest.raises(WebhookVerificationError):
        Webhook(KEYS.make(KeyAlgorithm.V1).secret).verify(BODY, signed(made))


def test_it_accepts_what_the_reference_library_signs() -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    headers = {
        "webhook-id": MESSAGE,
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(made.secret).sign(MESSAGE, NOW, BODY.decode()),
    }
    assert signature_fault(headers, BODY, keys=[made.secret], now=NOW) is None
    assert signature_fault(headers, BODY + b" ", keys=[made.secret], now=NOW) == "No signature fits."


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(min_size=24, max_size=64), body=st.text(max_size=200), seconds=st.integers(0, 280))
def test_both_agree_on_any_key_and_body(raw: bytes, body: str, seconds: int) -> None:
    secret = "whsec_" + base64.b64encode(raw).decode()
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    headers = signed(KEYS.seal(secret), at=at, body=body.encode())
    Webhook(secret).verify(body, headers, json_parse=False)
    assert headers["webhook-signature"] == Webhook(secret).sign(MESSAGE, at, body)
    assert signature_fault(headers, body.encode(), keys=[secret], now=at) is None


def test_it_signs_with_a_private_key_and_receivers_need_the_public_one_only() -> None:
    made = KEYS.make(KeyAlgorithm.V1A)
    assert made.public is not None
    assert (made.secret[:5], made.public[:5]) == ("whsk_", "whpk_")
    headers = signed(made)
    assert headers["webhook-signature"].startswith("v1a,")
    assert signature_fault(headers, BODY, keys=[made.public], now=NOW) is None
    assert signature_fault(headers, b"other", keys=[made.public], now=NOW) == "No signature fits."
    seed = "whsk_" + base64.b64encode(base64.b64decode(made.secret[5:])[:32]).decode()
    assert KEYS.seal(seed).public == made.public  # the short form is the same key


def test_old_and_new_keys_sign_side_by_side_while_one_is_rotated() -> None:
    old, new, pair = KEYS.make(KeyAlgorithm.V1), KEYS.make(KeyAlgorithm.V1), KEYS.make(KeyAlgorithm.V1A)
    at = datetime.now(UTC)  # the library asks the real clock
    headers = signed(new, old, pair, at=at)
    assert [part.partition(",")[0] for part in headers["webhook-signature"].split(" ")] == ["v1", "v1", "v1a"]
    for secret in (old.secret, new.secret):
        Webhook(secret).verify(BODY, headers)
    for one in (old.secret, new.secret, pair.public or ""):
        assert signature_fault(headers, BODY, keys=[one], now=at) is None
    with pytest.raises(WebhookVerificationError):
        Webhook(old.secret).verify(BODY, signed(new))  # once the overlap has ended


@pytest.mark.parametrize(("seconds", "is_fine"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_the_clock_has_two_sides(seconds: int, is_fine: bool) -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    headers = signed(made, at=at)
    fault = signature_fault(headers, BODY, keys=[made.secret], now=datetime.now(UTC))
    assert (fault is None) is is_fine
    if is_fine:
        Webhook(made.secret).verify(BODY, headers)
    else:
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(BODY, headers)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"webhook-id": ""}, "A header is missing."),
        ({"webhook-timestamp": ""}, "A header is missing."),
        ({"webhook-signature": ""}, "A header is missing."),
        ({"webhook-timestamp": "1e9"}, "The timestamp is not a number of seconds."),
        ({"webhook-timestamp": "-5"}, "The timestamp is not a number of seconds."),
        ({"webhook-timestamp": "٣"}, "The timestamp is not a number of seconds."),
        ({"webhook-timestamp": "9" * 30}, "The timestamp is not a number of seconds."),
        ({"webhook-timestamp": "0"}, "The timestamp is too old or too new."),
        ({"webhook-id": "msg_other"}, "No signature fits."),
        ({"webhook-signature": "v1"}, "No signature fits."),
        ({"webhook-signature": "v1,"}, "No signature fits."),
        ({"webhook-signature": "v1,!!!"}, "No signature fits."),
        ({"webhook-signature": "v1a,AAAA"}, "No signature fits."),
        ({"webhook-signature": "v2," + "A" * 43 + "="}, "No signature fits."),
        ({"webhook-signature": " ".join(["v1,AAAA"] * 1_000)}, "No signature fits."),
    ],
)
def test_malformed_headers_are_refused(change: dict[str, str], fault: str) -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    keys = [made.secret, KEYS.make(KeyAlgorithm.V1A).public or "", "nonsense", "whpk_!!!", "whpk_AAAA", "whsec_!"]
    assert signature_fault(signed(made) | change, BODY, keys=keys, now=NOW) == fault


@pytest.mark.parametrize(
    "secret",
    [
        "", "secret", "whsec_", "whsec_abc!", "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(), "whsk_" + base64.b64encode(b"x" * 33).decode(),
        "whsk_" + base64.b64encode(b"x" * 64).decode(), "whpk_" + base64.b64encode(b"x" * 32).decode(),
        "whsec_" + "\u00e9" * 40,
    ],
)  # fmt: skip
def test_it_seals_no_nonsense(secret: str) -> None:
    with pytest.raises(BadValueError):
        KEYS.seal(secret)


def test_nothing_leaves_unsigned() -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    with pytest.raises(BadValueError):
        KEYS.headers([], message=MESSAGE, at=NOW, body=BODY)
    with pytest.raises(BadValueError):
        KEYS.headers([key(made)], message=MessageId("a.b"), at=NOW, body=BODY)
    with pytest.raises(SealBrokenError):
        KEYS.headers([replace(key(made), sealed="v1.AAAA")], message=MESSAGE, at=NOW, body=BODY)


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    made = KEYS.make(KeyAlgorithm.V1)
    assert made.secret not in made.sealed
    assert KEYS.seal(made.secret).sealed != made.sealed
    with pytest.raises(SealBrokenError):
        SealedOneTimeCodes(SEALING).provisioning_uri(made.sealed, account="a")
    assert Seal(SEALING, purpose="another").opened(made.sealed) is None
    assert Seal("other" * 10, purpose="sallyport webhook signing key v1").opened(made.sealed) is None


def test_it_remembers_opened_keys_within_bounds() -> None:
    keys = SealedWebhookKeys(SEALING)
    for _each in range(1_100):
        made = keys.seal("whsec_" + base64.b64encode(secrets.token_bytes(24)).decode())
        keys.headers([key(made)], message=MESSAGE, at=NOW, body=b"")
    assert len(keys._signers) <= 1_024
