"""Stripe's webhooks: signatures of the form `t=…,v1=…` over the raw body, and what their events say of themselves."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from console.domain.billing.objects import ObjectKind
from console.ports.inbound import ListedEvent, Verified

PROVIDER = "stripe"
TOLERANCE = timedelta(seconds=300)  # both ways: an event from the future is as wrong as an old one
_HEADER = "stripe-signature"
_LONGEST_HEADER = 4_000
_MOST_SIGNATURES = 20
_LONGEST_ID = 200
_MOMENT = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
# The longer prefix first.
_KINDS: tuple[tuple[str, ObjectKind], ...] = (
    ("customer.subscription.", ObjectKind.SUBSCRIPTION),
    ("customer.created", ObjectKind.CUSTOMER),
    ("customer.updated", ObjectKind.CUSTOMER),
    ("customer.deleted", ObjectKind.CUSTOMER),
    ("charge.dispute.", ObjectKind.DISPUTE),
    ("charge.refund.", ObjectKind.REFUND),
    ("charge.", ObjectKind.PAYMENT),
    ("payment_intent.", ObjectKind.PAYMENT),
    ("invoice_payment.", ObjectKind.PAYMENT),
    ("refund.", ObjectKind.REFUND),
    ("credit_note.", ObjectKind.CREDIT_NOTE),
    ("invoice.", ObjectKind.INVOICE),
    ("price.", ObjectKind.PRICE),
    ("payout.", ObjectKind.PAYOUT),
)
_LAST_SECOND = 253_402_300_799  # of the year 9999


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature header, taken apart."""

    at: str
    signatures: tuple[str, ...]


class StripeSignatures:
    """Checks signatures with every active secret, so that a secret can be changed without losing an event."""

    provider = PROVIDER

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)

    def verified(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Verified | str:
        """Return what an authentic event says, or why it is refused; header names are lower case."""
        signed = _taken_apart(headers.get(_HEADER))
        if isinstance(signed, str):
            return signed
        age = now - _moment(int(signed.at))
        if abs(age) > TOLERANCE:
            return "The signature is too old." if age > TOLERANCE else "The signature comes from the future."
        if not self._is_authentic(signed, body):
            return "No active secret made this signature."
        return _said(body, signed_at=signed.at)

    def kind_of(self, event_type: str) -> ObjectKind | None:
        """Return what kind of object an event of a type is about; None for a type that nothing here handles."""
        return next((kind for prefix, kind in _KINDS if event_type.startswith(prefix)), None)

    def listed(self, event: ListedEvent) -> Verified | str:
        """Return what an event that we fetched ourselves says, or why it cannot be read."""
        said = _said(event.payload, signed_at=str(int(event.made_at.timestamp())))
        return replace(said, event_id=event.event_id) if isinstance(said, Verified) else said

    def _is_authentic(self, signed: _Signed, body: bytes) -> bool:
        """Compare every signature with every secret, and take as long whichever fits."""
        content = signed.at.encode() + b"." + body
        wanted = [hmac.new(secret, content, hashlib.sha256).hexdigest() for secret in self._secrets]
        fits = [hmac.compare_digest(one, given) for one in wanted for given in signed.signatures]
        return True in fits


def _taken_apart(header: str | None) -> _Signed | str:
    if header is None:
        return "The signature is missing."
    if len(header) > _LONGEST_HEADER:
        return "The signature header is malformed."
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    moments = [value for name, value in pairs if name == "t"]
    signatures = tuple(value for name, value in pairs if name == "v1")
    if len(moments) != 1 or not _MOMENT.fullmatch(moments[0]):
        return "The signature header is malformed."
    if not signatures or len(signatures) > _MOST_SIGNATURES:
        return "The signature header is malformed."
    if not all(_SIGNATURE.fullmatch(each) for each in signatures):
        return "The signature header is malformed."
    return _Signed(moments[0], signatures)


def _said(body: bytes, *, signed_at: str) -> Verified | str:
    """Return what a body says; `signed_at` and its hash stand in where it has no id of its own."""
    try:
        event: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "The body is no JSON."
    if not isinstance(event, dict):
        return "The body is no event."
    account = _text(event.get("account")) or ""
    event_type = _text(event.get("type"))
    if event_type is None:
        return "The event has no type."
    inner = event.get("data")
    thing = inner.get("object") if isinstance(inner, dict) else None
    thing = thing if isinstance(thing, dict) else {}
    return Verified(
        event_id=_text(event.get("id")) or _own_id(account, signed_at, body),
        account=account,
        is_live=event.get("livemode") is True,
        event_type=event_type,
        object_id=_object_id(thing),
        customer=_customer(thing),
        made_at=_moment(_seconds(event.get("created"), int(signed_at))),
    )


def _own_id(account: str, signed_at: str, body: bytes) -> str:
    """Return an id for an event without one, from what its signature covers, so that a replay has the same."""
    content = f"{PROVIDER}\n{account}\n{signed_at}\n".encode() + body
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _object_id(thing: Mapping[str, Any]) -> str | None:
    """Return the id that the object is asked for by.

    A charge is known here as the payment intent that it serves, and what an invoice got as the one that gave it.
    """
    inside = thing.get("payment") if thing.get("object") == "invoice_payment" else thing
    if thing.get("object") in {"charge", "invoice_payment"} and isinstance(inside, dict):
        intent = inside.get("payment_intent")
        named = _text(intent.get("id")) if isinstance(intent, dict) else _text(intent)
        if named is not None:
            return named
    return _text(thing.get("id")) or _text(thing.get("number"))


def _customer(thing: Mapping[str, Any]) -> str | None:
    if thing.get("object") == "customer":
        return _text(thing.get("id"))
    named = thing.get("customer")
    return _text(named.get("id")) if isinstance(named, dict) else _text(named)


def _text(value: object) -> str | None:
    is_text = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()
    return str(value) if is_text else None


def _seconds(value: object, otherwise: int) -> int:
    is_moment = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND
    return int(str(value)) if is_moment else otherwise


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
