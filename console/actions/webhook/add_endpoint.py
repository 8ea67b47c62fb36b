"""`webhook.add_endpoint`: send a tenant's events to one more address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.endpoints import (
    DEFAULT_RATE,
    MOST_RATE,
    checked_types,
    checked_url,
    key_of,
    shown_key,
    types_text,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId
from console.domain.reasons import Effect
from console.domain.webhooks import Endpoint, EndpointState, KeyAlgorithm
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

_MOST_ENDPOINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`event_types` is a list with commas or `*`. Units: `rate_per_s` messages per second."""

    url: str
    event_types: str
    rate_per_s: int
    description: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(
        url=values["url"],
        event_types=values["event_types"],
        rate_per_s=values["rate_per_s"] or DEFAULT_RATE,
        description=values["description"],
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return the endpoint as it would stand; raises Fault."""
    url, types = _checked(params, tools)
    return Preview(
        sentence=f"Send {types_text(types)} of this tenant to {url}",
        changes=(
            Change(field="Address", before=None, after=url),
            Change(field="Events", before=None, after=types_text(types)),
            Change(field="Most per second", before=None, after=str(params.rate_per_s)),
        ),
        fingerprint={},
        warnings=("From then on this tenant's events leave for this address, whoever reads there.",),
        customer="A new endpoint in their settings; it gets every event from now on.",
        target_type="endpoint",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the endpoint with its first key, whose secret is shown once."""
    url, types = _checked(params, tools)
    endpoint = Endpoint(
        id=EndpointId(tools.ids.new("whe")),
        url=url,
        description=params.description,
        event_types=types,
        state=EndpointState.ACTIVE,
        because=None,
        rate_per_s=params.rate_per_s,
        created_at=tools.now,
        version=1,
    )
    key, made = key_of(tools, endpoint.id, KeyAlgorithm.V1)
    book = tools.plane().webhooks
    book.add_endpoint(endpoint)
    book.add_key(key, older_until=tools.now)
    return Applied(
        sentence=f"Events go to {url} from now on. Its signing secret is shown now and never again.",
        changes=(Change(field="Address", before=None, after=url),),
        shown=shown_key(made),
        made=endpoint.id,
    )


def _checked(params: Params, tools: Tools) -> tuple[str, tuple[str, ...]]:
    url = checked_url(tools, params.url)
    there = tools.plane().webhooks.endpoints()
    if any(each.url == url for each in there):
        raise Fault("url", "This tenant has an endpoint with this address; change that one.")
    if len(there) >= _MOST_ENDPOINTS:
        raise Fault("url", f"A tenant has at most {_MOST_ENDPOINTS} endpoints; delete one first.")
    return url, checked_types(tools, params.event_types)


ACTION = Action(
    key=ActionKey("webhook.add_endpoint"),
    version=1,
    title="Add a webhook endpoint",
    button="Add endpoint",
    icon="plus",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="url", label="Address", input=Input.TEXT, help="A public https address of the customer.", most=2_000
        ),
        ParamField(
            name="event_types",
            label="Events",
            input=Input.TEXT,
            help="Event types with commas between them, or * for all.",
            most=2_000,
        ),
        ParamField(
            name="rate_per_s",
            label="Most per second",
            input=Input.INTEGER,
            help=f"{DEFAULT_RATE} when left empty.",
            unit="messages",
            least=1,
            most=MOST_RATE,
            is_required=False,
        ),
        ParamField(name="description", label="Description", input=Input.TEXT, most=200, is_required=False),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Sends a tenant's events to one more address, signed with a key whose secret is shown once.",
    customer_sees="The endpoint in their settings, and who added it in the access log.",
    undo=ActionKey("webhook.delete_endpoint"),
    place="webhooks",
)
