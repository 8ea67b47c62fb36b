"""The form of a sealed body as one pattern, so that a verifier can vouch for it without parsing it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from console.domain.entries import VERSION, EntryDraft, Program

Followed = tuple[str, int, str | None, bool]

# Only bodies without these are matched; so a text goes on to its next quotation mark, which is found fastest.
_ESCAPED = bytes(range(32)) + b"\\"
_TEXT = r'"[^"]*+"'
_CAUGHT = r'"([^"]*+)"'
_WHOLE = r"(?:0|-?[1-9][0-9]{0,14}+|[1-8][0-9]{15})(?![0-9])"  # all within 2^53-1
_FACT = rf'"[a-z][a-z0-9_]*+":(?:{_TEXT}|true|false|{_WHOLE})'
_FACT_NAME = re.compile(r'"([a-z][a-z0-9_]*)":')
# What a body holds beside the fields of its draft, and the fields that are looked at from entry to entry.
_OWN = {
    "execution": rf"(?:null|({_TEXT}))",
    "facts": rf"\{{((?:{_FACT}((?:,{_FACT})++)?+)?+)\}}",
    "truncated": "null",
    "ts_us": _WHOLE,
    "uid": _TEXT,
    "v": str(VERSION),
    "w": rf"\[{_CAUGHT},([1-9][0-9]{{0,14}}+),(?:null|{_CAUGHT})\]",
}


def followed(raw: bytes, text: str) -> Followed | None:
    """Return (writer, its count, the leaf before, whether there is an execution) of a body in canonical form.

    Shape: one body, as bytes and as text. None means look closer, not wrong: a body with escapes, with facts in
    disorder, of other fields than today's.
    """
    if raw.translate(None, _ESCAPED) != raw:
        return None
    found = _form().fullmatch(text)
    if found is None:
        return None
    execution, facts, more, writer, number, before = found.groups()
    if more is not None and not _are_sorted(_FACT_NAME.findall(facts)):
        return None
    return writer, int(number), before, execution is not None


@cache
def _form() -> re.Pattern[str]:
    """Return the pattern of a whole body; made when it is first asked for, since most processes verify nothing."""
    return re.compile(_object({**_fields(EntryDraft), **_OWN, "program": _pattern(Program | None)}))


def _are_sorted(names: Sequence[str]) -> bool:
    """Return whether names are in order and none is there twice; a text that looks like one only adds doubt."""
    return all(first < second for first, second in pairwise(names))


def _object(fields: Mapping[str, str]) -> str:
    return r"\{" + ",".join(f'"{name}":{fields[name]}' for name in sorted(fields)) + r"\}"


def _fields(part: Any) -> dict[str, str]:  # noqa: ANN401  a class of a draft's part
    """Return the pattern of every field, under the name that it has in a body."""
    return {name.rstrip("_"): _pattern(hint) for name, hint in get_type_hints(part).items()}


def _pattern(hint: Any) -> str:  # noqa: ANN401  any annotation
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return f"(?:{'|'.join(_pattern(each) for each in inner)})"
    if origin is tuple:
        item = _pattern(inner[0])
        return rf"\[(?:{item}(?:,{item})*+)?+\]"
    if hint is NoneType:
        return "null"
    if is_dataclass(hint):
        return _object(_fields(hint))
    return _WHOLE if hint is int else _TEXT  # enums and named types are text; `facts` has a pattern of its own
