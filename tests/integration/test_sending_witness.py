"""The witness of the tests that kill is no yes-man: it notices what a receiver would."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from standardwebhooks import WebhookVerificationError

from console.adapters.webhook_keys import SealedWebhookKeys
from console.domain.ids import EndpointId, MessageId
from console.domain.webhooks import EndpointKey, KeyAlgorithm
from tests.integration.sending_witness import KnownKey, authentic, known_key

HOUSE = SealedWebhookKeys("sealing-0123456789abcdefghijklmnopqrstuv")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # a log may be read whenever one likes
PAYLOADS = {"msg_1": '{"name": "Zoë"}'.encode(), "msg_2": b"{}"}
FAULTS = (AssertionError, WebhookVerificationError, InvalidSignature)


def arrival(key: KnownKey, *, at: datetime = LONG_AGO, late: timedelta = timedelta()) -> dict[str, Any]:
    made = HOUSE.seal(key.secret)
    stored = EndpointKey(
        id="whk_1", endpoint=EndpointId("whe_1"), algorithm=key.algorithm, sealed=made.sealed, public=made.public,
        created_at=at, expires_at=None,
    )  # fmt: skip
    headers = HOUSE.headers([stored], message=MessageId("msg_1"), at=at, body=PAYLOADS["msg_1"])
    body = PAYLOADS["msg_1"].decode()
    return {"path": "/x", "id": "msg_1", "headers": dict(headers), "body": body, "at": (at + late).timestamp()}


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_it_believes_what_was_signed_anew_for_the_moment_it_came(algorithm: KeyAlgorithm) -> None:
    key = known_key(algorithm)
    log = [arrival(key), arrival(key), arrival(key, at=LONG_AGO + timedelta(hours=1))]
    assert authentic(log, PAYLOADS, {"/x": key})[algorithm] == 1
    assert authentic(log[:2], PAYLOADS, {"/x": key})[algorithm] == 0  # both in one second


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
@pytest.mark.parametrize(
    "spoil",
    [
        lambda line, _key: line.update(body=line["body"].replace('": ', '":')),
        lambda line, _key: line.update(id="msg_2", body="{}"),
        lambda line, _key: line["headers"].update({"webhook-id": "msg_2"}),
        lambda line, _key: line["headers"].update({"webhook-timestamp": str(int(LONG_AGO.timestamp()) + 1)}),
        lambda line, key: line.update(arrival(known_key(key.algorithm))),
        lambda line, key: line.update(arrival(key, late=timedelta(minutes=6))),
    ],
    ids=["other bytes", "another message's body", "another id", "another moment", "another key", "a stale signature"],
)
def test_it_notices(spoil: Callable[[dict[str, Any], KnownKey], None], algorithm: KeyAlgorithm) -> None:
    key = known_key(algorithm)
    line = arrival(key)
    spoil(line, key)
    with pytest.raises(FAULTS):
        authentic([line], PAYLOADS, {"/x": key})
