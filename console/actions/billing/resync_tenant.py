"""`billing.resync_tenant`: ask the billing provider for everything of one tenant, as a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following
from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind
from console.domain.billing.resyncing import JOB, QUEUE, Progress, key_of
from console.domain.billing.wording import called
from console.domain.bought import Supposed
from console.domain.canonical import digest_hex
from console.domain.changes import AccessEffect, Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach

_RUN = "once it has run"
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Nothing is chosen: all of the tenant is asked for."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return the parameters."""
    return Params()


def preview(_params: Params, tools: Tools) -> Preview:
    """Return what is mirrored and whose customers are asked for; raises Fault for a tenant without a customer."""
    customers = _customers(tools)
    access, lost = _access(tools, customers)
    counts = dict.fromkeys(OF_CUSTOMERS, 0)
    for kind, _ in tools.plane().mirror.side().objects:
        counts[kind] = counts.get(kind, 0) + 1
    return Preview(
        sentence=f"Resync everything of {len(customers):,} customer{'' if len(customers) == 1 else 's'}",
        changes=(
            Change(field="Customers at the provider", before=None, after=", ".join(customers)),
            *(
                Change(
                    field=f"{called(kind).capitalize()}s in the mirror",
                    before=f"{many:,}",
                    after="as the provider has them",
                )
                for kind, many in counts.items()
            ),
        ),
        fingerprint={"customers": digest_hex(list(customers))},
        warnings=("It runs as a job, page by page; its page under Operations shows how far it has come.", *lost),
        customer="Access that follows what they paid, recalculated from the mirror.",
        target_type="tenant",
        target_id=str(tools.plane().scope.tenant),
        access=access,
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Change nothing yet: the job is queued with the outcome."""
    customers = _customers(tools)
    return Applied(
        sentence="The mirror is being brought up to what the provider says.",
        changes=(Change(field="Customers at the provider", before=None, after=", ".join(customers)),),
    )


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the first job of the resync."""
    first = Progress(resync=execution)
    return (JobDraft(kind=JOB, key=key_of(execution, 0), payload=first.payload(), queue=QUEUE),)


def _access(tools: Tools, customers: Sequence[str]) -> tuple[AccessEffect, tuple[str, ...]]:
    """Return what access follows, as far as the provider lists the subscriptions today. Raises: OutsideError."""
    told, is_all = following.at_provider(tools, customers)
    listed = {each.thing.id for each in told}
    known = tools.plane().mirror.page(ObjectKind.SUBSCRIPTION, before=None, limit=_MOST) if is_all else ()
    gone = frozenset(each.thing.id for each in known) - listed
    effects = following.effects_of(tools, Supposed(told=told, gone=gone))
    beside = "" if is_all else "Not all of its subscriptions at the provider were looked at."
    return (
        following.followed(tools, effects, when=_RUN, beside=beside),
        following.losses(effects, when=_RUN),
    )


def _customers(tools: Tools) -> tuple[str, ...]:
    customers = tuple(sorted(tools.plane().mirror.customers()))
    if not customers:
        raise Fault("", "This tenant is linked to no customer of the provider: link one.")
    return customers


ACTION = Action(
    key=ActionKey("billing.resync_tenant"),
    version=2,
    title="Resync everything of the tenant",
    button="Resync everything",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Asks the billing provider for every object of the tenant and lets the mirror follow, as a job.",
    customer_sees="Access that follows what they paid.",
    place="billing",
)
