"""`webhook.change_endpoint`: change an endpoint's address, events or rate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.actions.webhook.endpoints import (
    MOST_RATE,
    checked_types,
    checked_url,
    endpoint_choices,
    endpoint_of,
    types_text,
    write_endpoint,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId
from console.domain.reasons import Effect
from console.domain.webhooks import Endpoint
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What is empty (or None) stays as it is. Units: `rate_per_s` messages per second."""

    endpoint: EndpointId
    url: str
    event_types: str
    rate_per_s: int | None


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(
        endpoint=EndpointId(values["endpoint"]),
        url=values["url"],
        event_types=values["event_types"],
        rate_per_s=values["rate_per_s"] or None,
    )


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints that can be changed."""
    return endpoint_choices(tools) if field == "endpoint" else ()


def current(params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return the present values beside the fields, once an endpoint is chosen."""
    found = tools.plane().webhooks.endpoint(EndpointId(params.get("endpoint", "")))
    if found is None:
        return {}
    return {
        "url": f"now {found.url}",
        "event_types": f"now {types_text(found.event_types)}",
        "rate_per_s": f"now {found.rate_per_s}",
    }


def preview(params: Params, tools: Tools) -> Preview:
    """Return the endpoint before and after; raises Fault."""
    before, after = _both(params, tools)
    moves = before.url != after.url
    return Preview(
        sentence=f"Change the endpoint {before.url}",
        changes=_changes(before, after),
        fingerprint={"endpoint": before.id, "endpoint_version": before.version},
        facts={"changes_address": moves},
        warnings=("From then on this tenant's events leave for the new address, also those that still wait.",)
        if moves
        else (),
        customer="The endpoint in their settings changes at once.",
        target_type="endpoint",
        target_id=before.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the endpoint; raises Fault when somebody was faster."""
    before, after = _both(params, tools)
    write_endpoint(tools, before, after)
    return Applied(sentence=f"The endpoint {after.url} is changed.", changes=_changes(before, after))


def _both(params: Params, tools: Tools) -> tuple[Endpoint, Endpoint]:
    before = endpoint_of(tools, params.endpoint)
    after = replace(
        before,
        url=checked_url(tools, params.url) if params.url else before.url,
        event_types=checked_types(tools, params.event_types) if params.event_types else before.event_types,
        rate_per_s=params.rate_per_s or before.rate_per_s,
    )
    if after == before:
        raise Fault("endpoint", "Nothing would change: give a new address, other events or another rate.")
    others = (each for each in tools.plane().webhooks.endpoints() if each.id != before.id)
    if any(each.url == after.url for each in others):
        raise Fault("url", "Another endpoint of this tenant has this address.")
    return before, after


def _changes(before: Endpoint, after: Endpoint) -> tuple[Change, ...]:
    pairs = (
        ("Address", before.url, after.url),
        ("Events", types_text(before.event_types), types_text(after.event_types)),
        ("Most per second", str(before.rate_per_s), str(after.rate_per_s)),
    )
    return tuple(Change(field=name, before=old, after=new) for name, old, new in pairs if old != new)


ACTION = Action(
    key=ActionKey("webhook.change_endpoint"),
    version=1,
    title="Change a webhook endpoint",
    button="Change endpoint",
    icon="pencil",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),
        ParamField(
            name="url",
            label="New address",
            input=Input.TEXT,
            help="Empty: stays as it is. Another address needs a second person.",
            most=2_000,
            is_required=False,
        ),
        ParamField(
            name="event_types",
            label="Events",
            input=Input.TEXT,
            help="Event types with commas between them, or * for all. Empty: stays as it is.",
            most=2_000,
            is_required=False,
        ),
        ParamField(
            name="rate_per_s",
            label="Most per second",
            input=Input.INTEGER,
            help="Empty: stays as it is.",
            unit="messages",
            least=1,
            most=MOST_RATE,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    current=current,
    documentation="Changes the address, the events or the rate of an endpoint; another address needs approval.",
    customer_sees="The changed endpoint in their settings, and who changed it in the access log.",
    place="endpoint",
    is_beside_its_thing=True,
)
