"""`billing.resync`: ask the billing provider for one object and write its answer into the mirror."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.actions.billing import following
from console.actions.billing.subject import Subject, mark_of, subject_of
from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind
from console.domain.billing.wording import called, changes_between, consequence, named
from console.domain.bought import AS_IT_IS, Supposed
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_SHOWN = 50
_KINDS = tuple(kind.value for kind in OF_CUSTOMERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`invoice` is an invoice number; without one, `kind` and `object` name one as the provider does."""

    invoice: str = ""
    kind: str = ""
    object: str = ""


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values. Raises: Fault unless exactly one object is named."""
    params = Params(invoice=values["invoice"], kind=values["kind"], object=values["object"])
    if params.invoice and (params.kind or params.object):
        raise Fault("invoice", "Name an invoice, or a kind and an id; not both.")
    if not params.invoice and not params.object:
        raise Fault("invoice", "Choose an invoice, or name a kind and an id.")
    if not params.invoice and params.kind not in _KINDS:
        raise Fault("kind", "Choose what kind of object the id is of.")
    return params


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the newest invoices with what the mirror says of each, or the kinds there are."""
    if field == "kind":
        return tuple(Choice(value=kind.value, label=called(kind).capitalize()) for kind in OF_CUSTOMERS)
    if field != "invoice":
        return ()
    return tuple(
        Choice(value=i.number, label=i.number, current=f"mirror: {i.status}, provider: {i.provider_status}")
        for i in tools.plane().invoices(limit=_SHOWN)
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return mirror and provider side by side; raises Fault, or OutsideError when the provider does not answer."""
    subject = _subject(params, tools)
    shown, heard_at = _shown(params, subject, tools)
    effects = following.effects_of(tools, _supposed(subject))
    known = None if subject.mirrored is None else subject.mirrored.thing
    customer = "Our records no longer count it."
    if subject.told is not None and not subject.is_gone:
        customer = consequence(known, subject.told.thing)
    return Preview(
        sentence=f"Resync {_title(subject)}: {shown or 'not mirrored'} → {_is(subject)}",
        changes=(
            *_changes(subject, shown),
            Change(field="Mirrored", before=heard_at, after="now"),
        ),
        fingerprint={
            "object": f"{subject.kind.value}:{subject.id}",
            "mirror": mark_of(subject.mirrored),
            "provider": mark_of(subject.told),
        },
        warnings=following.losses(effects),
        customer=customer,
        target_type=subject.kind.value,
        target_id=params.invoice or subject.id,
        access=following.followed(tools, effects),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the provider's answer into the mirror."""
    subject = _subject(params, tools)
    mirror = tools.plane().mirror
    shown, _ = _shown(params, subject, tools)
    if subject.told is None:
        is_written = mirror.mark_deleted(subject.kind, subject.id, at=tools.now)
    else:
        is_written = mirror.put(subject.told)
    if not is_written:
        return Applied(sentence=f"A fresher answer of the provider stands already for {_title(subject)}.")
    return Applied(
        sentence=f"The mirror says {_is(subject)} for {params.invoice or subject.id} now.",
        changes=_changes(subject, shown),
    )


def _subject(params: Params, tools: Tools) -> Subject:
    return subject_of(tools, invoice=params.invoice, kind=params.kind, thing=params.object)


def _supposed(subject: Subject) -> Supposed:
    """Return what the mirror will say: only a subscription decides access."""
    if subject.kind is not ObjectKind.SUBSCRIPTION:
        return AS_IT_IS
    if subject.told is None or subject.is_gone:
        return Supposed(gone=frozenset({subject.id}))
    return Supposed(told=(subject.told,))


def _shown(params: Params, subject: Subject, tools: Tools) -> tuple[str | None, str | None]:
    """Return status and age of the mirror; what the product itself mirrors stands where ours has not heard of it."""
    if subject.mirrored is not None:
        gone = "deleted" if subject.mirrored.is_deleted else _status(subject.mirrored.thing)
        return gone, _moment(subject.mirrored.fetched_at)
    invoice = tools.plane().invoice(params.invoice) if params.invoice else None
    return (None, None) if invoice is None else (invoice.status, _moment(invoice.mirrored_at))


def _moment(at: datetime) -> str:
    return minute_of(at)


def _title(subject: Subject) -> str:
    known = subject.told or subject.mirrored
    return f"{called(subject.kind)} {subject.id}" if known is None else named(known.thing)


def _is(subject: Subject) -> str:
    if subject.told is None:
        return "unknown to the provider"
    return "deleted at the provider" if subject.told.is_deleted else _status(subject.told.thing)


def _status(thing: object) -> str:
    return str(getattr(thing, "status", "known"))


def _changes(subject: Subject, shown: str | None) -> tuple[Change, ...]:
    if subject.told is None or subject.is_gone:
        return (Change(field="At the provider", before=shown, after=_is(subject)),)
    found = changes_between(None if subject.mirrored is None else subject.mirrored.thing, subject.told.thing)
    if subject.mirrored is None and shown is not None:
        return tuple(Change(field=c.field, before=shown, after=c.after) if c.field == "Status" else c for c in found)
    return found


ACTION = Action(
    key=ActionKey("billing.resync"),
    version=3,
    title="Resync with the billing provider",
    button="Resync invoice",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="invoice",
            label="Invoice",
            input=Input.CHOICE,
            help="The provider is asked afresh; the mirror follows it, never the other way round.",
            is_required=False,
        ),
        ParamField(name="kind", label="Or another kind", input=Input.CHOICE, is_required=False),
        ParamField(
            name="object",
            label="Its id at the provider",
            input=Input.TEXT,
            most=200,
            pattern=r"[A-Za-z0-9_-]+",
            pattern_example="sub_1Abc",
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Asks the billing provider for one object of the tenant and writes the answer into the mirror.",
    customer_sees="Access that follows what they paid.",
    place="billing",
    moves_access=True,
)
