"""What the actions on endpoints share."""

import re
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit

from console.domain.ids import EndpointId, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.webhooks import Endpoint, EndpointKey, EndpointState, KeyAlgorithm
from console.ports.action_tools import Tools
from console.ports.actions import Choice, Fault
from console.ports.sending import NewKey

HOLD_JOB = "webhook.hold"
ALL_TYPES = "*"
DEFAULT_RATE = 50
MOST_RATE = 200
HELD_AT_ONCE = 1_000  # in the action's own transaction; a job moves the rest
_LONGEST_URL = 2_000
_KNOWN_TYPES = 500
_SHOWN_TYPES = 12
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")
_LIVE = (EndpointState.ACTIVE, EndpointState.PAUSED, EndpointState.DISABLED)


def endpoint_choices(tools: Tools, states: Collection[EndpointState] = _LIVE) -> tuple[Choice, ...]:
    """Return the endpoints in some states, each with where it stands."""
    return tuple(
        Choice(value=each.id, label=each.url, current=each.state.value)
        for each in tools.plane().webhooks.endpoints()
        if each.state in states
    )


def endpoint_of(tools: Tools, endpoint: EndpointId, states: Collection[EndpointState] = _LIVE) -> Endpoint:
    """Return an endpoint of this tenant that stands in one of some states; raises Fault."""
    found = tools.plane().webhooks.endpoint(endpoint)
    if found is None:
        raise Fault("endpoint", "This tenant has no such endpoint.")
    if found.state is EndpointState.DELETED:
        raise Fault("endpoint", "This endpoint is deleted; add a new one.")
    if found.state not in states:
        raise Fault("endpoint", f"This endpoint is {found.state.value}. {_REMEDIES[found.state]}")
    return found


def write_endpoint(tools: Tools, before: Endpoint, after: Endpoint) -> None:
    """Store an endpoint as it shall stand; raises Fault when somebody was faster."""
    if not tools.plane().webhooks.change_endpoint(after, version=before.version):
        raise Fault("endpoint", "The endpoint changed meanwhile; look at it again.")


def healthy(endpoint: Endpoint, state: EndpointState) -> Endpoint:
    """Return an endpoint in a new state, its failures forgotten."""
    return replace(
        endpoint,
        state=state,
        because=None,
        disabled_at=None,
        failing_since=None,
        failures_in_row=0,
        warned_at=None,
        breaker_until=None,
    )


def checked_url(tools: Tools, url: str) -> str:
    """Return an address that may be sent to; raises Fault for a malformed or a private one."""
    fault = _form_fault(url) or tools.outbound.fault_of(url)
    if fault is not None:
        raise Fault("url", fault)
    return url


def checked_types(tools: Tools, text: str) -> tuple[str, ...]:
    """Return event types from a list with commas, `*` meaning all; raises Fault for an unknown one.

    Shape: known is what this tenant was told of or subscribes to; a tenant that was never told anything may name any.
    """
    wanted = tuple(sorted({name.strip() for name in text.split(",") if name.strip()}))
    if wanted == (ALL_TYPES,):
        return ()
    if ALL_TYPES in wanted:
        raise Fault("event_types", "Write * alone for all events, or a list of event types.")
    book = tools.plane().webhooks
    known = {*book.event_types(limit=_KNOWN_TYPES), *(kind for each in book.endpoints() for kind in each.event_types)}
    for name in wanted:
        if not _TYPE.fullmatch(name):
            raise Fault("event_types", f"{name[:60]} is no event type: they look like invoice.paid or invoice.*.")
        if known and not any(_stands_for(name, each) for each in known):
            listed = ", ".join(sorted(known)[:_SHOWN_TYPES])
            raise Fault("event_types", f"This tenant knows no event type {name[:60]}. Known: {listed}.")
    return wanted


def _stands_for(wanted: str, known: str) -> bool:
    return known == wanted or (wanted.endswith(".*") and known.startswith(wanted[:-1]))


def types_text(types: tuple[str, ...]) -> str:
    """Return event types in words."""
    return ", ".join(types) if types else "all events"


def key_of(tools: Tools, endpoint: EndpointId, algorithm: KeyAlgorithm) -> tuple[EndpointKey, NewKey]:
    """Return a fresh key as it is stored, and as it is shown once."""
    made = tools.webhook_keys.make(algorithm)
    stored = EndpointKey(
        id=tools.ids.new("whk"),
        endpoint=endpoint,
        algorithm=algorithm,
        sealed=made.sealed,
        public=made.public,
        created_at=tools.now,
        expires_at=None,
    )
    return stored, made


def shown_key(made: NewKey) -> dict[str, str]:
    """Return what the person who ran the action sees once: for asymmetric keys the receiver needs the public half."""
    return {"Signing secret": made.secret} if made.public is None else {"Public key": made.public}


def hold_rest(endpoint: EndpointId, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that lets the remaining deliveries follow the endpoint's new state."""
    return (JobDraft(kind=HOLD_JOB, key=f"hold:{execution}", payload={"endpoint": endpoint}, queue="webhooks"),)


_REMEDIES = {
    EndpointState.ACTIVE: "There is nothing to change.",
    EndpointState.PAUSED: "Enable it first.",
    EndpointState.DISABLED: "Enable it first.",
}


def _form_fault(url: str) -> str | None:
    if len(url) > _LONGEST_URL:
        return f"Keep the address under {_LONGEST_URL:,} characters."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is no web address; write one like https://hooks.example.com/in."
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "This is no web address; write one like https://hooks.example.com/in."
    if parts.username is not None or parts.password is not None:
        return "Leave name and password out of the address: it is shown and recorded."
    return "Leave the part after # out of the address." if parts.fragment else None
