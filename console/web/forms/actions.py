"""The form of an action: its parameters, its reason, and what the preview left on the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.domain.canonical import digest_hex, normal
from console.domain.ids import ReasonCode, RequestId
from console.domain.reasons import Reason
from console.domain.reconciling.findings import FindingId
from console.ports.actions import Action, Input
from console.usecases.parameters import Raw
from console.web.forms.posted import REASON_FIELDS, Sent, unknown_fields

_SHOWN = ("shown_code", "shown_reference", "shown_note", "shown_params", "shown_changes", "mark")
_OWN = (*REASON_FIELDS.values(), *_SHOWN, "step", "form_id", "repairs", "intent", "drill")
_LONGEST_SEEN = 20_000
_LONGEST_INTENT = 200
STEPS = ("form", "refresh", "preview", "ask")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAction:
    """What was typed and what the page carried along.

    Shape: `step` is `link` for what an address filled in, `form` and `refresh` for what the page asks by itself while
    somebody types (without and with a preview), `preview` and `ask` for what a person asks; `raw` holds the action's
    own fields as text; `mark`, `shown` and `seen` are what the last preview said: its mark, the reason it was shown
    for, and its changes as (field, before, after); `is_as_shown` says whether the parameters are still those of that
    preview; `is_full` whether every required parameter was given; `repairs` is the finding from which somebody came;
    `intent` is the slug that was typed to break glass, `is_drill` whether that is only rehearsed.
    """

    step: str
    raw: Raw
    reason: Reason | None
    mark: str | None
    shown: Reason | None
    seen: tuple[tuple[str, str | None, str | None], ...]
    form_id: RequestId | None
    is_as_shown: bool
    is_full: bool
    faults: Mapping[str, str]
    repairs: FindingId | None = None
    intent: str = ""
    is_drill: bool = False

    @property
    def typed(self) -> Mapping[str, str]:
        """Return the parameters that are plain text, for the values beside the fields."""
        return {name: value for name, value in self.raw.items() if isinstance(value, str)}


def linked(action: Action[Any], query: Sent) -> SentAction:
    """Return the parameters that a link filled in; anything else in the address is ignored."""
    raw = _raw(action, query)
    is_full = all(raw[field.name] for field in action.fields if field.is_required)
    return SentAction(
        step="link",
        raw=raw,
        reason=None,
        mark=None,
        shown=None,
        seen=(),
        form_id=None,
        is_as_shown=False,
        is_full=is_full,
        faults={},
        repairs=_repairs(query),
    )


def read_action(action: Action[Any], sent: Sent) -> SentAction:
    """Return what was posted."""
    raw = _raw(action, sent)
    step = sent.get("step", "preview")
    return SentAction(
        step=step if step in STEPS else "preview",
        raw=raw,
        reason=_reason(sent, "reason"),
        mark=sent.get("mark") or None,
        shown=_reason(sent, "shown"),
        seen=_seen(sent.get("shown_changes", "")),
        form_id=RequestId(sent["form_id"]) if sent.get("form_id") else None,
        is_as_shown=sent.get("shown_params", "") == params_mark(raw),
        is_full=all(raw[field.name] for field in action.fields if field.is_required),
        faults=unknown_fields(
            sent,
            (*_OWN, *(field.name for field in action.fields)),
            many=[field.name for field in action.fields if field.input is Input.ROLES],
        ),
        repairs=_repairs(sent),
        intent=sent.get("intent", "")[:_LONGEST_INTENT],
        is_drill=sent.get("drill", "") == "y",
    )


def params_mark(raw: Raw) -> str:
    """Return a mark of typed parameters, to notice an edit after the preview."""
    return digest_hex(normal({name: value if isinstance(value, str) else list(value) for name, value in raw.items()}))


def _repairs(sent: Sent) -> FindingId | None:
    finding = sent.get("repairs", "").strip()
    return FindingId(finding) if finding else None


def _raw(action: Action[Any], sent: Sent) -> dict[str, str | Sequence[str]]:
    raw: dict[str, str | Sequence[str]] = {}
    for field in action.fields:
        if field.input is Input.ROLES:
            raw[field.name] = [name for value in sent.getlist(field.name) for name in value.split(",") if name]
        else:
            raw[field.name] = sent.get(field.name, "").strip()
    return raw


def _reason(sent: Sent, prefix: str) -> Reason | None:
    code = sent.get(f"{prefix}_code", "").strip()
    if not code:
        return None
    return Reason(
        code=ReasonCode(code),
        reference=sent.get(f"{prefix}_reference", "").strip(),
        note=sent.get(f"{prefix}_note", "").strip(),
    )


def _seen(text: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """Return the changes that the page showed; they are only shown again beside the new ones, never believed."""
    if len(text) > _LONGEST_SEEN:
        return ()
    try:
        rows = json.loads(text or "[]")
    except ValueError:
        return ()
    if not isinstance(rows, list):
        return ()
    triples = [row for row in rows if isinstance(row, list) and len(row) == 3 and isinstance(row[0], str)]
    return tuple((row[0], _text(row[1]), _text(row[2])) for row in triples)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
