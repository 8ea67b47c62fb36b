"""Turn what a form, command or call sent into the parameters of an action, or into faults with remedies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from console.ports.actions import Action, Fault, Input, ParamField

_LONGEST_TEXT = 10_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_INTEGER = re.compile(r"-?[0-9]{1,15}")

Raw = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One wrong field: its name, and what to do."""

    field: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Typed values, and the same as plain JSON values for the digest; both empty when there are faults."""

    values: Mapping[str, Any]
    plain: Mapping[str, object]
    faults: tuple[FieldFault, ...]


def parsed(action: Action[Any], raw: Raw) -> Parsed:
    """Return the parameters of an action; an unknown field is a fault too, so nothing can be smuggled in."""
    known = {field.name for field in action.fields}
    faults = [FieldFault(field=name, remedy="This action has no such field.") for name in raw if name not in known]
    values: dict[str, Any] = {}
    plain: dict[str, object] = {}
    for field in action.fields:
        try:
            values[field.name], plain[field.name] = _value(field, raw.get(field.name, ""))
        except Fault as fault:
            faults.append(FieldFault(field=fault.field, remedy=fault.remedy))
    if faults:
        return Parsed(values={}, plain={}, faults=tuple(faults))
    return Parsed(values=values, plain=plain, faults=())


def built(action: Action[Any], raw: Raw) -> tuple[Any, Mapping[str, object], tuple[FieldFault, ...]]:
    """Return typed parameters, their plain form, and faults (then the parameters are None)."""
    read = parsed(action, raw)
    if read.faults:
        return None, {}, read.faults
    try:
        return action.build(read.values), read.plain, ()
    except Fault as fault:
        return None, {}, (FieldFault(field=fault.field, remedy=fault.remedy),)


def raw_of(plain: Mapping[str, object]) -> dict[str, str | Sequence[str]]:
    """Return stored parameters in the form in which they were typed, to build them again."""
    return {
        name: [str(item) for item in value] if isinstance(value, list | tuple) else str(value)
        for name, value in plain.items()
    }


def _value(field: ParamField, given: str | Sequence[str]) -> tuple[Any, object]:
    if field.input is Input.ROLES:
        names = given.split(",") if isinstance(given, str) else given
        roles = tuple(sorted({name.strip() for name in names if name.strip()}))
        return roles, list(roles)
    if not isinstance(given, str):
        raise Fault(field.name, f"Give “{field.label}” once.")
    text = given.strip()
    if not text:
        if field.is_required:
            raise Fault(field.name, f"Fill in “{field.label}”.")
        return "", ""
    if field.input is Input.INTEGER:
        return _integer(field, text)
    if field.input is Input.DATE:
        return _date(field, text)
    return _text(field, text)


def _integer(field: ParamField, text: str) -> tuple[int, int]:
    bounds = f"a whole number from {field.least or 0:,} to {field.most or 0:,}"
    if not _INTEGER.fullmatch(text):
        raise Fault(field.name, f"{field.label} is {bounds}.")
    number = int(text)
    if (field.least is not None and number < field.least) or (field.most is not None and number > field.most):
        raise Fault(field.name, f"{field.label} is {bounds}.")
    return number, number


def _date(field: ParamField, text: str) -> tuple[date, str]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Fault(field.name, f"{field.label} is a day like 2027-03-31.") from None
    return day, day.isoformat()


def _text(field: ParamField, text: str) -> tuple[str, str]:
    most = field.most or _LONGEST_TEXT
    if len(text) > most:
        raise Fault(field.name, f"Keep “{field.label}” under {most:,} characters.")
    if field.input is not Input.CHOICE and field.least is not None and len(text) < field.least:
        raise Fault(field.name, f"{field.label} needs at least {field.least} characters.")
    if _CONTROL.search(text):
        raise Fault(field.name, f"{field.label} holds invisible control characters: type it again without them.")
    if field.pattern is not None and not re.fullmatch(field.pattern, text):
        raise Fault(field.name, f"{field.label} looks like {field.pattern_example}.")
    return text, text
