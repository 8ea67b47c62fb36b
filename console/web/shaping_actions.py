"""The four steps of an action on one page: what, preview, reason, run or ask."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.domain.changes import Change, Preview
from console.domain.decisions import Allow, Decision, Deny, NeedsApproval, NeedsStepUp
from console.domain.leases import Lease
from console.domain.reasons import BREAK_GLASS, Reason, ReasonRule
from console.domain.requests import Request
from console.domain.staff import Role
from console.ports.actions import Action, Input, ParamField
from console.usecases.outcomes import Previewed
from console.usecases.prepare_action import ActionForm
from console.web.forms.actions import SentAction, params_mark
from console.web.shaping import Seen, View, approvers_in_words, diff_rows, drift_rows, groups_in_words, refusal_view
from console.web.shaping_home import error_list, reason_option

_KINDS = {
    Input.TEXT: "text",
    Input.LONG_TEXT: "long",
    Input.INTEGER: "number",
    Input.DATE: "date",
    Input.CHOICE: "choice",
    Input.STAFF: "text",
    Input.ROLES: "roles",
}
_BY_ITSELF = frozenset({"form", "refresh"})
_REASON_LABELS = {
    "reason_code": "Reason",
    "reason_reference": "Reference",
    "reason_note": "Note",
    "step_up_code": "Code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Where somebody stands on the page of an action, beside what they sent.

    Shape: `faults` are remedies by field name; `drifted_from` holds the changes that were seen before the world moved;
    `is_fresh` says that the second factor is.
    """

    form: ActionForm
    sent: SentAction
    reason: Reason
    href: str
    form_id: str
    previewed: Previewed | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    refusal: Deny | NeedsStepUp | None = None
    drifted_from: Sequence[Seen] = ()
    message: str = ""
    revises: Request | None = None
    is_fresh: bool = False


def default_reason(sent: SentAction, lease: Lease | None, accepted: Sequence[ReasonRule]) -> Reason:
    """Return the reason as typed, else the lease's where the action accepts it, else the first accepted, bare."""
    if sent.reason is not None:
        return sent.reason
    codes = [rule.code for rule in accepted]
    if lease is not None and lease.reason.code in codes:
        note = lease.reason.note if lease.reason.code == BREAK_GLASS else ""  # in an emergency nobody types it twice
        return Reason(code=lease.reason.code, reference=lease.reason.reference, note=note)
    return Reason(code=codes[0], reference="")


def walk_view(walk: Walk) -> View:
    """Return the page of an action."""
    action = walk.form.action
    answer = walk.previewed
    labels = {f.name: f.label for f in action.fields} | _REASON_LABELS
    return {
        "title": action.title,
        "text": action.documentation,
        "effect": action.effect.value,
        "icon": action.icon,
        "customer_sees": action.customer_sees,
        "href": walk.href,
        "form_id": walk.form_id,
        "repairs": walk.sent.repairs or "",
        "params": [_param(f, walk) for f in action.fields if not _is_fixed(f, walk)],
        "fixed": [
            {"name": f.name, "label": f.label, "value": walk.sent.typed[f.name]}
            for f in action.fields
            if _is_fixed(f, walk)
        ],
        "steps": _steps(walk),
        "errors": error_list(dict(walk.faults), labels),
        "faults": walk.faults,
        "refusal": refusal_view(walk.refusal) if walk.refusal is not None else None,
        "message": walk.message,
        "preview": None if answer is None else preview_view(answer.preview),
        "answer": None
        if answer is None
        else _answer(
            answer,
            action,
            is_revision=walk.revises is not None,
            is_glass=walk.reason.code == BREAK_GLASS,
            is_fresh=walk.is_fresh,
        ),
        "drift": drift_rows(walk.drifted_from, answer.preview.every_change) if walk.drifted_from and answer else [],
        "reasons": [reason_option(rule, is_lease=False) for rule in walk.form.reasons],
        "reason": walk.reason,
        "reason_label": next(
            (rule.label for rule in walk.form.reasons if rule.code == walk.reason.code), walk.reason.code
        ),
        "is_lease_reason": _is_lease_reason(walk),
        "reference_help": _reference_help(walk),
        "is_revision": walk.revises is not None,
        "carried": {} if answer is None else _carried(walk, answer),
        "focus": _focus(walk),
        "intent": walk.sent.intent,
        "slug": "" if walk.form.tenant is None else walk.form.tenant.slug,
        "is_drill": walk.sent.is_drill,
    }


def preview_view(preview: Preview) -> View:
    """Return a preview: the sentence, the diff, and what follows from it."""
    items = [{"kind": "customer", "text": f"The customer will notice: {preview.customer}"}]
    access = preview.access
    if access is not None:
        items.append({"kind": "change", "text": access.sentence})
    items += [{"kind": "warn", "text": text} for text in preview.warnings]
    return {
        "sentence": preview.sentence,
        "changes": diff_rows(preview.changes),
        "access": [] if access is None else diff_rows(access.changes),
        "consequences": items,
    }


def seen_text(changes: Sequence[Change]) -> str:
    """Return the changes that a page shows, for the page to send back and show again should the world move."""
    return json.dumps([[c.field, c.before, c.after] for c in changes], ensure_ascii=False)


def _answer(
    answer: Previewed, action: Action[Any], *, is_revision: bool, is_glass: bool = False, is_fresh: bool = True
) -> View:
    """Return what policy says: the button's words, who would have to agree, and what stands in the way."""
    beyond: Decision = answer.beyond
    needs_code = isinstance(answer.decision, NeedsStepUp)
    verb = "File revision and ask" if is_revision else "Ask"
    match beyond:
        case Deny() | NeedsStepUp():
            return _answered("", "refused", refusal=refusal_view(beyond), needs_code=False)
        case NeedsApproval() | Allow() if is_glass and not is_revision:
            who = groups_in_words(beyond.needs) if isinstance(beyond, NeedsApproval) else "nobody else"
            text = (
                f"It skips the approval of {who}. They and security are told at once; it counts down and can be "
                "stopped, then it runs. Somebody else reviews it, and until then you cannot do this again."
            )
            return _answered("Break glass", "glass", text=text, needs_code=needs_code or not is_fresh)
        case NeedsApproval(needs=needs):
            who = groups_in_words(needs)
            text = f"{_capital(approvers_in_words(needs))} must approve before it runs."
            return _answered(
                f"{verb} {who} to approve", "approval", text=text, until=answer.approve_by, needs_code=needs_code
            )
        case Allow():
            text = "Nobody else has to agree: it runs at once, exactly once, and is recorded."
            return _answered("File revision" if is_revision else action.button, "run", text=text, needs_code=needs_code)


def _answered(
    button: str,
    kind: str,
    *,
    needs_code: bool,
    text: str = "",
    until: datetime | None = None,
    refusal: View | None = None,
) -> View:
    heading = {"approval": "Ask for approval", "run": "Run it", "glass": "Break glass"}.get(kind, "")
    return {
        "button": button,
        "kind": kind,
        "heading": heading,
        "text": text,
        "until": until,
        "refusal": refusal,
        "needs_code": needs_code,
    }


def _param(spec: ParamField, walk: Walk) -> View:
    value = walk.sent.raw.get(spec.name, "")
    chosen = list(value) if not isinstance(value, str) else [value]
    choices = [
        {"value": c.value, "label": f"{c.label} · now {c.current}" if c.current else c.label}
        for c in walk.form.choices.get(spec.name, ())
    ]
    current = walk.form.current.get(spec.name)
    return {
        "name": spec.name,
        "label": spec.label,
        "kind": _KINDS[spec.input],
        "value": value if isinstance(value, str) else "",
        "chosen": chosen,
        "help": spec.help,
        "unit": walk.form.units.get(spec.name, spec.unit),
        "is_required": spec.is_required,
        "current": None if current is None else current.removeprefix("now "),
        "error": walk.faults.get(spec.name, ""),
        "choices": [{"value": "", "label": "Choose …"}, *choices],
        "roles": [(role.value, role.label) for role in Role] if spec.input is Input.ROLES else [],
        "attributes": _attributes(spec),
    }


def _attributes(spec: ParamField) -> dict[str, str]:
    if spec.input is Input.INTEGER:
        return {"inputmode": "numeric", "autocomplete": "off", "pattern": "-?[0-9]*"}
    if spec.input is Input.DATE:
        return {}
    found = {"autocomplete": "off", "spellcheck": "false"}
    if spec.pattern_example:
        found["placeholder"] = spec.pattern_example
    return found | ({"maxlength": str(spec.most)} if spec.most is not None else {})


def _is_fixed(spec: ParamField, walk: Walk) -> bool:
    return spec.is_fixed_by_link and bool(walk.sent.typed.get(spec.name)) and spec.name not in walk.faults


def _steps(walk: Walk) -> list[View]:
    is_shown = walk.previewed is not None
    is_refused = is_shown and isinstance(getattr(walk.previewed, "beyond", None), Deny)
    last = "File" if walk.revises is not None else "Run or ask"
    if not is_shown:
        marks = ("current", "ahead", "ahead", "ahead")
    elif is_refused:
        marks = ("done", "current", "ahead", "ahead")
    else:
        marks = ("done", "done", "current", "ahead")
    return [
        {"label": label, "status": mark, "href": ""}
        for label, mark in zip(("What", "Preview", "Reason", last), marks, strict=True)
    ]


def _carried(walk: Walk, answer: Previewed) -> dict[str, str]:
    return {
        "mark": answer.mark,
        "shown_code": walk.reason.code,
        "shown_reference": walk.reason.reference,
        "shown_note": walk.reason.note,
        "shown_params": params_mark(walk.sent.raw),
        "shown_changes": seen_text(answer.preview.every_change),
    }


def _is_lease_reason(walk: Walk) -> bool:
    """Return whether the reason is the lease's and nothing is wrong with it, so that it needs no second look."""
    lease = walk.form.lease
    if lease is None:
        return False
    same = (lease.reason.code, lease.reason.reference) == (walk.reason.code, walk.reason.reference)
    return same and not any(name.startswith("reason_") for name in walk.faults)


def _reference_help(walk: Walk) -> str:
    rule = _chosen(walk)
    return f"The {rule.reference_label}, for example {rule.reference_example}."


def _chosen(walk: Walk) -> ReasonRule:
    """Return the rule of the chosen reason, the first accepted one where it is none of them."""
    return next((rule for rule in walk.form.reasons if rule.code == walk.reason.code), walk.form.reasons[0])


def _focus(walk: Walk) -> str:
    """Return which field the page puts the caret into."""
    if walk.sent.step in _BY_ITSELF:
        return ""  # the caret stays where somebody is typing
    if walk.faults:
        return ""  # the summary of what is wrong takes the focus
    if walk.previewed is None:
        empty = (f.name for f in walk.form.action.fields if not walk.sent.raw.get(f.name) and not _is_fixed(f, walk))
        return next(empty, "preview")
    if not walk.reason.reference:
        return "reason_reference"
    return "step_up_code" if isinstance(walk.previewed.decision, NeedsStepUp) else "ask"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
