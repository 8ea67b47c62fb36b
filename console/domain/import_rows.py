"""Reads import files row by row: JSON lines or CSV in, records or faults out, never more than one row at a time."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NoReturn, TypeAlias

from console.domain.import_billing import BillingObjectRecord, EffectiveSetRecord
from console.domain.import_fields import KINDS, rules_of
from console.domain.import_shapes import FieldRule, Shape
from console.domain.imports import Record, RowFault

LONGEST_LINE = 1_000_000
_BOM = b"\xef\xbb\xbf"
_NOT_UTF8 = "save the file as UTF-8; this line is in another encoding"
_TRUTHS = {"true": True, "false": False}

Row: TypeAlias = "tuple[int, Record | RowFault]"


class FileForm(StrEnum):
    """How a file is written."""

    JSON_LINES = "jsonl"
    CSV = "csv"


def form_of(name: str) -> FileForm | None:
    """Return how a file is written, by the ending of its name, or None."""
    endings = {"jsonl": FileForm.JSON_LINES, "ndjson": FileForm.JSON_LINES, "csv": FileForm.CSV}
    return endings.get(name.rpartition(".")[2].lower())


def read_records(lines: Iterable[bytes], *, form: FileForm, kind: str | None = None) -> Iterator[Row]:
    """Yield each row's line number with its record, or with one fault for each thing wrong with it.

    Shape: `lines` come from a binary file, best by `readline(LONGEST_LINE + 1)`, so that a file without line breaks
    stays small in memory; `kind` is for files whose rows do not say theirs.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{kind!r} is not a kind of record: {', '.join(KINDS)}")
    if form is FileForm.CSV:
        yield from _csv_rows(_numbered(lines), kind)
        return
    for line, raw in _numbered(lines):
        if isinstance(raw, RowFault):
            yield line, raw
        elif raw.strip():
            yield from _validated(line, *_json_row(line, raw), kind=kind)


def validate_row(line: int, row: Mapping[str, object], *, kind: str, is_text: bool = False) -> Record | list[RowFault]:
    """Return the record of one row, or everything wrong with it; `is_text` says that every value came as text."""
    rules = rules_of(kind)
    faults = [
        RowFault(line=line, field=_short(name), remedy=_suggested(name, list(rules)))
        for name in row
        if name not in rules
    ]
    values: dict[str, Any] = {}
    for name, rule in rules.items():
        given = row.get(name)
        if given is None or (is_text and given == ""):
            if rule.is_required:
                faults.append(RowFault(line=line, field=name, remedy=f"is missing; write it like {rule.example}"))
            values[name] = rule.default
            continue
        try:
            values[name] = _typed(given, rule, is_text=is_text)
            wrong = rule.fault(values[name])
        except ValueError as shape:
            wrong = str(shape)
        if wrong:
            faults.append(RowFault(line=line, field=name, remedy=wrong))
    return faults or _whole(line, KINDS[kind](**values))


def _whole(line: int, record: Record) -> Record | list[RowFault]:
    """Return a record, or what is wrong with it in the light of all its fields."""
    if isinstance(record, BillingObjectRecord | EffectiveSetRecord):
        wrong = record.fault()
        if wrong is not None:
            return [RowFault(line=line, field=wrong[0], remedy=wrong[1])]
    return record


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes | RowFault]]:
    """Yield whole lines with their numbers; of a line without end only the fault is kept."""
    number, is_inside = 1, False
    for raw in lines:
        piece = raw.removeprefix(_BOM) if number == 1 and not is_inside else raw
        is_whole = piece.endswith(b"\n")
        if not is_inside:
            too_long = len(piece) > LONGEST_LINE
            fault = RowFault(line=number, field="", remedy=f"shorten the line to {LONGEST_LINE} bytes")
            yield number, fault if too_long else piece
        is_inside = not is_whole
        number += is_whole


def _json_row(line: int, raw: bytes) -> tuple[dict[str, object], RowFault | None]:
    """Return the object of a line, or the fault that there is none."""
    try:
        row = json.loads(raw.decode(), object_pairs_hook=_distinct, parse_constant=_no_number)
    except UnicodeDecodeError:
        return {}, RowFault(line=line, field="", remedy=_NOT_UTF8)
    except (ValueError, RecursionError) as broken:
        return {}, RowFault(line=line, field="", remedy=f"write one JSON object per line; {_short(str(broken))}")
    if not isinstance(row, dict):
        return {}, RowFault(line=line, field="", remedy="write one JSON object per line")
    return row, None


def _csv_rows(lines: Iterator[tuple[int, bytes | RowFault]], kind: str | None) -> Iterator[Row]:
    """Yield the rows of a table; a wrong header ends the file, because no row could be read."""
    overlong: list[RowFault] = []
    reader = csv.reader(_decoded(lines, overlong), strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as broken:
            yield reader.line_num, RowFault(line=reader.line_num, field="", remedy=f"mend the quotes; {broken}")
            continue
        yield from ((fault.line, fault) for fault in overlong)
        overlong.clear()
        if cells is None:
            return
        if not any(cells):
            continue
        line = reader.line_num
        if header is None:
            header = [cell.strip() for cell in cells]
            faults = list(_header_faults(header, kind))
            yield from ((line, fault) for fault in faults)
            if faults:
                return
        elif len(cells) != len(header):
            remedy = f"give {len(header)} cells as in the header; this row has {len(cells)}"
            yield line, RowFault(line=line, field="", remedy=remedy)
        else:
            # An empty cell is a field that was left out, so that one table can hold several kinds of record.
            row: dict[str, object] = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
            wrong = next((name for name, cell in row.items() if not _is_text(str(cell))), None)
            fault = RowFault(line=line, field=wrong, remedy=_NOT_UTF8) if wrong else None
            yield from _validated(line, row, fault, kind=kind, is_text=True)


def _decoded(lines: Iterator[tuple[int, bytes | RowFault]], overlong: list[RowFault]) -> Iterator[str]:
    for _, raw in lines:
        if isinstance(raw, RowFault):
            overlong.append(raw)
            yield "\n"
        else:
            yield raw.decode("utf-8", "surrogateescape")


def _header_faults(header: Sequence[str], kind: str | None) -> Iterator[RowFault]:
    known = {"kind"} | {name for each in ([kind] if kind else KINDS) for name in rules_of(each)}
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            yield RowFault(line=1, field=_short(name), remedy="name each column once")
        elif name not in known:
            yield RowFault(line=1, field=_short(name), remedy=_suggested(name, sorted(known)))
    if kind is None and "kind" not in header:
        yield RowFault(line=1, field="kind", remedy="add a column 'kind', or say it with --kind")


def _validated(
    line: int, row: dict[str, object], fault: RowFault | None, *, kind: str | None, is_text: bool = False
) -> Iterator[Row]:
    """Yield the record of a row or its faults."""
    if fault is not None:
        yield line, fault
        return
    named = row.pop("kind", kind)
    if not isinstance(named, str) or named not in KINDS:
        yield line, RowFault(line=line, field="kind", remedy=f"use one of {', '.join(KINDS)}")
    elif kind is not None and named != kind:
        yield line, RowFault(line=line, field="kind", remedy=f"this file was announced to hold rows of kind {kind}")
    else:
        found = validate_row(line, row, kind=named, is_text=is_text)
        yield from ((line, each) for each in found) if isinstance(found, list) else ((line, found),)


def _typed(value: object, rule: FieldRule, *, is_text: bool) -> object:
    """Return a value in the field's type. Raises: ValueError with the remedy."""
    match rule.shape:
        case Shape.TEXT:
            return value if isinstance(value, str) else _refuse("write a text in quotes", value)
        case Shape.INTEGER:
            if is_text and isinstance(value, str):
                return (
                    int(value)
                    if value.isascii() and value.isdigit() and len(value) < 20
                    else _refuse("write a whole number", value)
                )
            return value if type(value) is int else _refuse("write a whole number without quotes", value)
        case Shape.TRUTH:
            found = _TRUTHS.get(str(value)) if is_text else value
            return found if isinstance(found, bool) else _refuse("write true or false", value)
        case Shape.MOMENT:
            return _moment(value, rule)
        case Shape.OBJECT:
            plain = _json(value) if is_text else value
            return plain if isinstance(plain, dict) else _refuse(f"write a JSON object, like {rule.example}", value)
        case Shape.OBJECTS:
            plain = _json(value) if is_text else value
            if isinstance(plain, list) and all(isinstance(part, dict) for part in plain):
                return tuple(plain)
            return _refuse(f"write a list of JSON objects, like {rule.example}", value)
        case _:
            parts = value.replace(";", " ").split() if is_text and isinstance(value, str) else value
            if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                return tuple(parts)
            return _refuse("write a list of texts", value)


def _json(value: object) -> object:
    """Return what a cell holds as JSON, or None where it holds none."""
    try:
        return json.loads(str(value), object_pairs_hook=_distinct, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _moment(value: object, rule: FieldRule) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        found = moment.astimezone(UTC) if moment is not None and moment.utcoffset() is not None else None
    except (ValueError, OverflowError):
        found = None
    return found or _refuse(f"write a date and time with its zone, like {rule.example}", value)


def _suggested(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name[:64], known, n=1)
    return f"is not a field here; did you mean {close[0]}?" if close else "is not a field here; remove it"


def _is_text(cell: str) -> bool:
    return cell.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in cell)


def _short(text: str) -> str:
    """Return a text that can be printed: bounded, and without halves of characters."""
    shown = text.encode("utf-8", "replace").decode()
    return shown if len(shown) <= 80 else f"{shown[:80]}…"


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    return found


def _no_number(spelling: str) -> NoReturn:
    raise ValueError(f"{spelling} is not a number")


def _refuse(remedy: str, value: object) -> NoReturn:
    raise ValueError(f"{remedy}; this is {_short(repr(value))}")
