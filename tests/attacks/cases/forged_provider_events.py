"""Somebody sends events in a provider's name: unsigned, altered, old, from the future, signed with a guess."""

import json

from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import let_provider_in, signed

CHECKLIST = ("V11.2.3", "V2.2.3")
PATH = "/inbound/stripe"
EVENT = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"number": "INV-1", "customer": "cus_nordwind"}}}


def tries(body: bytes, now: int) -> tuple[tuple[bytes, dict[str, str]], ...]:
    """Return bodies and headers that are nearly right at a moment."""
    right = signed(body, at=now)["Stripe-Signature"]
    return (
        (body, {}),
        (body.replace(b"INV-1", b"INV-2"), signed(body, at=now)),
        (body + b"\n", signed(body, at=now)),
        (body, signed(body, at=now - 301)),
        (body, signed(body, at=now + 301)),
        (body, signed(body, at=now, secret="whsec_guessed_guessed")),
        (body, {"Stripe-Signature": right.replace("v1=", "v0=")}),
        (body, {"Stripe-Signature": right.partition(",")[2]}),
        (body, {"Webhook-Signature": right}),
        (body, {"Stripe-Signature": f"{right},t={now}"}),
    )


def attack(door: Door) -> tuple[Attempts, ...]:
    """Send each of them, and one that is too large, and one to nobody."""
    let_provider_in(door)
    stranger, now = door.cast.stranger(), int(door.cast.clock.now().timestamp())
    body = json.dumps(EVENT).encode()
    told = door.attempts(400, "inbound.refused")
    for number in range(len(tries(body, now))):
        given, headers = tries(body, now)[number]
        told.send(stranger, "POST", PATH, data=given, headers=headers)
        door.cast.clock.pass_by(seconds=61)
        now += 61
    large = door.attempts(413, unrecorded="a body above the limit is cut off before anything looks at it")
    large.send(stranger, "POST", PATH, data=b"x" * 300_000, headers=signed(b"x" * 300_000, at=now))
    unknown = door.attempts(404, unrecorded="a stranger who tries addresses would only fill the trail")
    unknown.send(stranger, "POST", "/inbound/paypal", data=body, headers=signed(body, at=now))
    return told, large, unknown
