"""What of a payload or of a job's arguments may be shown: the shape always, secrets never, values seldom."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"
_DEEPEST = 12
_MOST_LINES = 200
_LONGEST_NAME = 60
_INDENT = "  "
_DOTS = "•••"
_SECRET = re.compile(
    r"secret|token|passw|passphrase|authori[sz]ation|cookie|credential|signature|private|api_?key|(^|[_-])key$|^key$|whs(ec|k)_",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"^(whs(ec|k)_|sk_|rk_|Bearer |Basic |eyJ[A-Za-z0-9_-]{6,}\.)")
_IN_TEXT = (
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(whs(ec|k)_|[sr]k_|eyJ[A-Za-z0-9_-]{6,}\.)[^\s\"',;&]*"), REDACTED),
    (re.compile(r"://[^\s/@]+@"), f"://{REDACTED}@"),
    (re.compile(r"(/customer/(?:consents|policy|log)/)[^\s\"'<>]+"), rf"\1{REDACTED}"),  # a signed link is a key
    (
        re.compile(
            r"(?<![\w-])([\w-]*(?:secret|token|passw|passphrase|authori[sz]ation|cookie|credential|signature|private"
            r"|api_?key)[\w-]*"
            r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|(?!\[redacted\])[^\s,;&]+(?:\s+\[redacted\])?)",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(?<![^\s@<>\"'(=:,;])[^\s@<>\"'(=:,;]+@[^\s@<>\"'):,;]+"), _DOTS),
)
# What none of these stands in, in small letters, none of the patterns above changes.
_SUSPECT = (
    "@", "://", "bearer", "basic", "whs", "sk_", "rk_", "eyj", "/customer/", "secret", "token", "passw", "passphrase",
    "authori", "cookie", "credential", "signature", "private", "api_key", "apikey",
)  # fmt: skip
# What names a thing rather than a person: these values help to find the fault and say nothing of anybody.
_PLAIN = frozenset(
    {"type", "event", "event_type", "object", "status", "state", "currency", "version", "api_version", "created",
     "created_at", "occurred_at", "livemode", "is_live", "snapshot", "replay_of", "kind", "plan", "feature"}
)  # fmt: skip
_FAULTS = frozenset({"error", "error_code", "code", "reason"})
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:+\-]{1,64}")
# Whatever else stands as a name may be somebody's: an address, a number.
_PLAIN_NAME = re.compile(r"[^\W\d][\w.:$/\-]*")


def redacted(value: Any, *, depth: int = 0) -> Any:  # noqa: ANN401  any JSON
    """Return a job's arguments with everything that is or names a secret replaced, at any depth."""
    if depth > _DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            redacted_text(str(name)): REDACTED if is_secret_name(str(name)) else redacted(inner, depth=depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, str):
        return REDACTED if _SECRET_VALUE.match(value) else redacted_text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [redacted(inner, depth=depth + 1) for inner in value]
    return value


def redacted_text(text: str) -> str:
    """Return a text in which no secret and no address of a person can be read, wherever they stand in it."""
    if text.isascii():  # beyond ASCII, small letters are another matter for a pattern
        low = text.lower()
        for part in _SUSPECT:
            if part in low:
                break
        else:
            return text
    for pattern, shown in _IN_TEXT:
        text = pattern.sub(shown, text)
    return text


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds what nobody may see."""
    return _SECRET.search(name) is not None


def masked_answer(body: str) -> str:
    """Return what a receiver answered, as a payload is shown: it may have sent back what it was sent.

    Shape: the word that a machine calls the fault by is shown, its sentence is not.
    """
    return masked_payload(body.encode(), plain=_PLAIN | _FAULTS)


def masked_payload(payload: bytes, *, plain: frozenset[str] = _PLAIN) -> str:
    """Return a payload with its shape, and with dots in place of every value and name that could be a person's."""
    try:
        read = json.loads(payload)
    except (ValueError, RecursionError):
        return f"{_DOTS} ({len(payload):,} bytes that are not JSON)"
    lines = _lines(read, name="", indent="", comma="", depth=0, plain=plain)
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES:,} more lines"]
    return "\n".join(lines)


def _lines(
    value: Any,  # noqa: ANN401  any JSON
    *,
    name: str,
    indent: str,
    comma: str,
    depth: int,
    plain: frozenset[str],
) -> list[str]:
    shown_name = _shown_name(name)
    head = f"{indent}{json.dumps(shown_name, ensure_ascii=False)}: " if name else indent
    if depth > _DEEPEST:
        return [f"{head}{_DOTS}{comma}"]
    if isinstance(value, dict) and value:
        inner = _inner(list(value.items()), indent=indent, depth=depth, plain=plain)
        return [f"{head}{{", *inner, f"{indent}}}{comma}"]
    if isinstance(value, list) and value:
        inner = _inner([("", each) for each in value], indent=indent, depth=depth, plain=plain)
        return [f"{head}[", *inner, f"{indent}]{comma}"]
    return [f"{head}{_masked(value, name, plain)}{comma}"]


def _shown_name(name: str) -> str:
    if name and (not _PLAIN_NAME.fullmatch(name) or redacted_text(name) != name):
        return _DOTS
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _inner(items: list[tuple[str, Any]], *, indent: str, depth: int, plain: frozenset[str]) -> list[str]:
    last = len(items) - 1
    return [
        line
        for number, (name, each) in enumerate(items)
        for line in _lines(
            each, name=name, indent=indent + _INDENT, comma="" if number == last else ",", depth=depth + 1, plain=plain
        )
    ]


def _masked(value: Any, name: str, plain: frozenset[str]) -> str:  # noqa: ANN401  any JSON
    if value is None or isinstance(value, bool) or value in ({}, []):
        return json.dumps(value)
    is_plain = name.lower() in plain and not is_secret_name(name)
    if is_plain and (isinstance(value, int | float) or _PLAIN_VALUE.fullmatch(str(value))):
        return json.dumps(value)
    return f'"{_DOTS}"' if isinstance(value, str) else _DOTS
