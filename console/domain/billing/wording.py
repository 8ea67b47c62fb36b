"""What differs between two states of a billing object, field by field, in words that people read."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from console.domain.billing.canonical_form import kind_of
from console.domain.billing.money import worded
from console.domain.billing.objects import BillingObject, Invoice, ObjectKind, Subscription
from console.domain.billing.particulars import is_going_on, item_of_plan
from console.domain.changes import Change
from console.domain.moments import minute_of

_MINOR = "_minor"
_NAMES = {"is_live": "Live mode", "id": "Id"}
_WORDS = {kind: kind.value.replace("_", " ") for kind in ObjectKind}


def called(kind: ObjectKind) -> str:
    """Return a kind as it is spoken of: `credit note`."""
    return _WORDS[kind]


def named(thing: BillingObject) -> str:
    """Return an object as people name it: an invoice by its number, others by their id."""
    return f"{called(kind_of(thing))} {getattr(thing, 'number', None) or thing.id}"


def changes_between(before: BillingObject | None, after: BillingObject) -> tuple[Change, ...]:
    """Return every field in which two states of one object differ; each line and item is a field of its own."""
    then = {} if before is None else dict(_flat(before))
    now = dict(_flat(after))
    names = list(dict.fromkeys((*now, *then)))
    return tuple(
        Change(field=name, before=then.get(name), after=now.get(name))
        for name in names
        if then.get(name) != now.get(name)
    )


def consequence(before: BillingObject | None, after: BillingObject) -> str:
    """Return what follows from the new state for the customer, in one sentence."""
    if isinstance(after, Subscription):
        item = item_of_plan(after)
        plan = "a plan that our catalogue does not know" if item is None else f"{item.plan}"
        ending = "goes on" if is_going_on(after) else "has ended"
        return f"Access follows the subscription: {plan}, {after.status}; it {ending}. It is recalculated at once."
    if isinstance(after, Invoice):
        owed = worded(after.remaining_minor, after.currency)
        paid = "nothing is owed" if after.remaining_minor == 0 else f"{owed} is still owed"
        return f"Access follows the invoice: it is {after.status}, {paid}. It is recalculated from the mirror at once."
    if before is None:
        return "Our records of what they paid are complete again; no money moves."
    return "Our records of what they paid follow the provider; no money moves."


def _flat(thing: Any) -> list[tuple[str, str | None]]:  # noqa: ANN401  one of ten classes
    currency = getattr(thing, "currency", None)
    shown: list[tuple[str, str | None]] = []
    for each in fields(thing):
        value = getattr(thing, each.name)
        if isinstance(value, tuple):
            shown += _rows(each.name, value, currency)
        else:
            shown.append((_label(each.name), _worded(each.name, value, currency)))
    return shown


def _rows(name: str, values: Sequence[Any], currency: str | None) -> list[tuple[str, str | None]]:
    one = _label(name).removesuffix("s")
    return [(f"{one} {getattr(value, 'id', None) or number}", _line(value, currency))
            for number, value in enumerate(values, start=1)]  # fmt: skip


def _line(value: Any, currency: str | None) -> str:  # noqa: ANN401  a line, an item or an allocation
    told = ((each.name, getattr(value, each.name)) for each in fields(value) if each.name != "id")
    said = ((name, _worded(name, part, currency)) for name, part in told)
    return ", ".join(f"{_label(name).lower()} {part}" for name, part in said if part is not None)


def _label(name: str) -> str:
    plain = name.removesuffix(_MINOR).removeprefix("is_").replace("_", " ")
    return _NAMES.get(name, plain.capitalize())


def _worded(name: str, value: object, currency: str | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return minute_of(value)
    if isinstance(value, int) and name.endswith(_MINOR):
        return worded(value, currency) if currency else str(value)
    return str(value)
