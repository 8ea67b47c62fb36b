"""Ask for a governed action from the shell, by the same use case as the browser, and tell what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import click

from console.cli.exits import CommandFault, Exit
from console.cli.output import Command, plain, say, say_json
from console.cli.works import Rooms
from console.domain.changes import Change, Preview
from console.domain.decisions import Deny, NeedsStepUp
from console.domain.ids import ActionKey, ReasonCode, TenantId
from console.domain.reasons import Reason
from console.domain.staff import Actor
from console.policy.explain import group_in_words, said
from console.ports.actions import Input
from console.usecases.fresh_form import fresh_form_id
from console.usecases.outcomes import (
    Already,
    BadFields,
    CountingDown,
    Drifted,
    Failed,
    Previewed,
    Proposal,
    Ran,
    Unsettled,
    Waiting,
)
from console.usecases.prepare_action import ActionForm, action_form, preview_action
from console.usecases.propose_action import propose_action

STAFF_CHANGE = ReasonCode("STAFF_CHANGE")
Raw = Mapping[str, str | Sequence[str]]


def with_reference(command: Command) -> Command:
    """Give a command the reference and note that every reason consists of."""
    note = click.option("--note", default="", help="What happened, in a sentence or two.")
    return click.option("--reference", required=True, help="Case or ticket behind it, e.g. HR-123.")(note(command))


def staff_reason(reference: str, note: str) -> Reason:
    """Return the reason of a change of staff."""
    return Reason(code=STAFF_CHANGE, reference=reference, note=note)


def ask_for(
    rooms: Rooms, actor: Actor, *, key: ActionKey, raw: Raw, reason: Reason, tenant: TenantId | None = None
) -> Proposal:
    """Propose an action; where policy asks nobody else it has run when this returns."""
    found = _resolved(rooms, actor, key=key, raw=raw, tenant=tenant)
    if isinstance(found, Deny):
        return found
    form_id = fresh_form_id(rooms.house)
    return propose_action(
        rooms.house, actor, key=key, tenant=tenant, raw=found, reason=reason, mark=None, form_id=form_id
    )


def preview_of(
    rooms: Rooms, actor: Actor, *, key: ActionKey, raw: Raw, reason: Reason, tenant: TenantId | None = None
) -> Previewed | BadFields | Deny:
    """Return what an action would do, without doing it."""
    found = _resolved(rooms, actor, key=key, raw=raw, tenant=tenant)
    if isinstance(found, Deny):
        return found
    return preview_action(rooms.house, actor, key=key, tenant=tenant, raw=found, reason=reason)


def tell(answer: Proposal | Previewed, *, as_json: bool) -> None:
    """Print what came of it; anything but done, waiting or shown ends the command with its code."""
    code, lines = _ending(answer)
    if as_json:
        say_json({"outcome": _word(answer), "detail": plain(answer)})
    elif code is Exit.DONE:
        say(*lines)
    elif isinstance(answer, Previewed):
        say(*preview_lines(answer.preview))
    if code is not Exit.DONE:
        raise CommandFault([] if as_json else lines, code)


def _ending(answer: Proposal | Previewed) -> tuple[Exit, list[str]]:
    """Return the exit code of an answer, and what to say."""
    match answer:
        case Deny() | NeedsStepUp():
            return Exit.REFUSED, refusal_lines(answer)
        case BadFields(faults=faults):
            return Exit.BAD_INPUT, [f"{fault.field}: {fault.remedy}" for fault in faults]
        case Failed(sentence=sentence):
            return Exit.FAILED, [f"Not done: {sentence}"]
        case Drifted(now=now):
            lines = ["Meanwhile something changed; nothing was done. Now it would be:", *preview_lines(now)]
            return Exit.FAILED, lines
        case Unsettled(request=request):
            sentence = f"{request.id}: the tenant's plane has not answered; recovery finds out what happened."
            return Exit.OUTSIDE, [sentence]
        case Previewed(decision=decision) if isinstance(decision, Deny | NeedsStepUp):
            return Exit.REFUSED, refusal_lines(decision)
        case _:
            return Exit.DONE, _good_lines(answer)


def _good_lines(answer: Previewed | Waiting | CountingDown | Ran | Already) -> list[str]:
    match answer:
        case Previewed(preview=preview, decision=decision):
            return [*preview_lines(preview), f"  Policy: {said(decision)}"]
        case Waiting(request=request):
            return [f"{request.id} waits for: {', '.join(map(group_in_words, request.needs))}."]
        case CountingDown(request=request, told=told):
            return [f"{request.id} fires at {request.approve_by:%H:%M:%S} UTC; {told} people were told."]
        case Ran(applied=applied):
            return [applied.sentence, *(f"{label}: {value}" for label, value in applied.shown.items())]
        case Already(request=request):
            return [f"{request.id} was filed before; it is {request.state.value}."]
        case _:
            assert_never(answer)


def refusal_lines(refusal: Deny | NeedsStepUp) -> list[str]:
    """Return a refusal in words: what, by which rule, and the way out."""
    if isinstance(refusal, NeedsStepUp):
        return ["Refused (needs_step_up): this needs a second factor.", "Ask for it in the browser."]
    rules = f" Rules: {', '.join(refusal.rules)}." if refusal.rules else ""
    return [f"Refused ({refusal.code.value}): {refusal.sentence}{rules}", *filter(None, [refusal.remedy])]


def preview_lines(preview: Preview) -> list[str]:
    """Return a preview in words."""
    access = [] if preview.access is None else [f"  {preview.access.sentence}"]
    warnings = [f"  ! {warning}" for warning in preview.warnings]
    customer = f"  The customer: {preview.customer}"
    return [preview.sentence, *map(_change_line, preview.every_change), *access, *warnings, customer]


def _change_line(change: Change) -> str:
    return f"  {change.field}: {change.before or '(nothing)'} -> {change.after or '(nothing)'}"


def _word(answer: Any) -> str:  # noqa: ANN401  any arm has a name
    return said(answer) if isinstance(answer, Deny | NeedsStepUp) else type(answer).__name__.lower()


def _resolved(rooms: Rooms, actor: Actor, *, key: ActionKey, raw: Raw, tenant: TenantId | None) -> Raw | Deny:
    """Return the parameters with the labels of choices, such as an address, replaced by their values."""
    typed = {name: value if isinstance(value, str) else ",".join(value) for name, value in raw.items()}
    form = action_form(rooms.house, actor, key=key, tenant=tenant, typed=typed, is_opening=True)
    if isinstance(form, Deny):
        return form
    chosen = {field.name for field in form.action.fields if field.input is Input.CHOICE}
    return {name: _choice(form, name, value) if name in chosen else value for name, value in raw.items()}


def _choice(form: ActionForm, name: str, value: str | Sequence[str]) -> str | Sequence[str]:
    """Return the value of the one choice that is meant by its value, its label, or the address in its label."""
    options = form.choices.get(name, ())
    if not isinstance(value, str) or any(option.value == value for option in options):
        return value
    wanted = value.strip().casefold()
    meant = [
        option.value
        for option in options
        if option.label.casefold() == wanted or f"<{wanted}>" in option.label.casefold()
    ]
    return meant[0] if len(meant) == 1 else value
