"""`webhook.rotate_secret`: sign with a new key, and with the old one beside it for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.actions.webhook.endpoints import endpoint_choices, endpoint_of, key_of, shown_key
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, EndpointId
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.webhooks import Endpoint, EndpointKey, KeyAlgorithm
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_DEFAULT_HOURS = 24
_MOST_HOURS = 168
_MOST_KEYS = 10
_ALGORITHMS = {KeyAlgorithm.V1: "Shared secret (v1)", KeyAlgorithm.V1A: "Key pair (v1a)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Units: `overlap_hours`, 0 to 168: how long the older keys go on signing."""

    endpoint: EndpointId
    overlap_hours: int
    algorithm: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    hours = values["overlap_hours"]
    return Params(
        endpoint=EndpointId(values["endpoint"]),
        overlap_hours=_DEFAULT_HOURS if hours == "" else hours,
        algorithm=values["algorithm"],
    )


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the endpoints, or the ways to sign."""
    if field == "algorithm":
        return tuple(Choice(value=each.value, label=label) for each, label in _ALGORITHMS.items())
    return endpoint_choices(tools) if field == "endpoint" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return which keys would sign until when; raises Fault. No key is made yet."""
    endpoint, keys, algorithm = _checked(params, tools)
    until = tools.now + timedelta(hours=params.overlap_hours)
    stay = "stay beside it" if params.overlap_hours else "end at once"
    old = f"sign until {minute_of(until)}" if params.overlap_hours else stay
    return Preview(
        sentence=f"New signing key for {endpoint.url}; the older ones {stay}",
        changes=(
            Change(field="Newest key", before=keys[0].id if keys else None, after=f"a new one ({algorithm.value})"),
            Change(field="Older keys", before=str(len(keys)), after=f"go on for {params.overlap_hours} hours"),
        ),
        fingerprint={"endpoint": endpoint.id, "newest_key": keys[0].id if keys else ""},
        warnings=(
            f"The older keys {old}: until then every message carries both signatures.",
            "The new secret is shown once. Give it to the customer, then send a test before the old key ends.",
        ),
        customer="Messages carry two signatures; after the overlap only the new one is good.",
        target_type="endpoint",
        target_id=endpoint.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the new key and let the older ones end; the secret is shown once and kept sealed."""
    endpoint, keys, algorithm = _checked(params, tools)
    until = tools.now + timedelta(hours=params.overlap_hours)
    key, made = key_of(tools, endpoint.id, algorithm)
    tools.plane().webhooks.add_key(key, older_until=until)
    return Applied(
        sentence=f"{key.id} signs for {endpoint.url} from now on; the older keys end {minute_of(until)}.",
        changes=(Change(field="Newest key", before=keys[0].id if keys else None, after=key.id),),
        shown=shown_key(made),
        made=key.id,
    )


def _checked(params: Params, tools: Tools) -> tuple[Endpoint, list[EndpointKey], KeyAlgorithm]:
    endpoint = endpoint_of(tools, params.endpoint)
    keys = list(tools.plane().webhooks.keys(endpoint.id, now=tools.now))
    if len(keys) >= _MOST_KEYS and params.overlap_hours:
        raise Fault("overlap_hours", f"{len(keys)} keys sign already; give 0 hours, so that the older ones end.")
    if params.algorithm:
        if params.algorithm not in [each.value for each in _ALGORITHMS]:
            raise Fault("algorithm", "Choose one of the ways to sign.")
        return endpoint, keys, KeyAlgorithm(params.algorithm)
    return endpoint, keys, keys[0].algorithm if keys else KeyAlgorithm.V1


ACTION = Action(
    key=ActionKey("webhook.rotate_secret"),
    version=1,
    title="Rotate a signing secret",
    button="Rotate secret",
    icon="key-round",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="endpoint", label="Endpoint", input=Input.CHOICE),
        ParamField(
            name="overlap_hours",
            label="Overlap",
            input=Input.INTEGER,
            help=f"How long the old key signs beside the new one; {_DEFAULT_HOURS} when left empty, 0 if it leaked.",
            unit="hours",
            least=0,
            most=_MOST_HOURS,
            is_required=False,
        ),
        ParamField(
            name="algorithm",
            label="Way to sign",
            input=Input.CHOICE,
            help="As the newest key does, when left empty.",
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Makes a new signing key for an endpoint, shown once; older keys sign beside it for the overlap.",
    customer_sees="Two signatures during the overlap, and the rotation in the access log.",
    place="endpoint",
    is_beside_its_thing=True,
)
