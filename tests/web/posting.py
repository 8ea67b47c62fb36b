"""The form of an action as its page sends it after a preview, sent by somebody's browser, and what came of it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from console.domain.decisions import Allow, Decision, Deny, NeedsApproval
from console.domain.ids import ActionKey, RequestId, TenantId
from console.domain.reasons import Reason
from console.domain.requests import State
from console.domain.staff import Actor
from console.usecases.outcomes import Previewed
from console.usecases.parameters import Raw
from console.usecases.prepare_action import preview_action
from console.web.forms.actions import params_mark
from tests.web.cast import Browser, Cast

FORM = RequestId("req_0000000000000000000000000c")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One action asked for by one person for one reason. Shape: `tenant` has its slug; None for the console's books."""

    key: ActionKey
    actor: Actor
    reason: Reason
    raw: Raw
    tenant: tuple[TenantId, str] | None


def opened_for(file: Path, asked: Question) -> None:
    """Let the open lease be for this reason, and what somebody does as a member belong to this browser."""
    with closing(sqlite3.connect(file)) as raw, raw:
        held = "UPDATE lease SET reason_code = ?, reason_reference = ? WHERE ended_at IS NULL"
        raw.execute(held, (asked.reason.code, asked.reason.reference))
        raw.execute("UPDATE impersonation SET session = ? WHERE ended_at IS NULL", (asked.actor.session,))


def sent(cast: Cast, browser: Browser, asked: Question) -> int:
    """Send the form; return the status. What the preview leaves on the page is worked out without drawing it."""
    action, why, tenant = cast.house.registry[asked.key], asked.reason, asked.tenant
    shown = preview_action(
        cast.house, asked.actor, key=asked.key, tenant=tenant and tenant[0], raw=asked.raw, reason=why
    )
    assert isinstance(shown, Previewed), (asked.key, shown)
    given = {field.name: asked.raw.get(field.name, "") for field in action.fields}
    typed = {name: [value] if name == "roles" and isinstance(value, str) else value for name, value in given.items()}
    carried = {"shown_params": params_mark(typed), "shown_changes": "[]", "mark": shown.mark}
    reasons = {f"{kind}_{name}": value for kind in ("reason", "shown")
               for name, value in (("code", why.code), ("reference", why.reference), ("note", why.note))}  # fmt: skip
    path = f"/t/{tenant[1]}/actions/{asked.key}" if tenant else f"/actions/{asked.key}"
    return browser.post(path, {**typed, **reasons, **carried, "form_id": FORM, "step": "ask"}).status_code


def fault(cast: Cast, file: Path, asked: Question, *, status: int, policy: Decision) -> str | None:
    """Return in which way what came of it is not what policy says; None where it is."""
    newest = "SELECT json_extract(body, '$.authorisation.deny_code') FROM audit_event ORDER BY id DESC LIMIT 1"
    with closing(sqlite3.connect(file)) as raw:
        (code,) = raw.execute(newest).fetchone()
    with cast.house.store.read() as unit:
        found = unit.requests.get(FORM)
    match policy:
        case Allow():
            is_right = status in {200, 303} and found is not None and found.state is State.EXECUTED
        case NeedsApproval(needs=needs):
            is_right = status == 303 and found is not None and (found.state, found.needs) == (State.PENDING, needs)
        case Deny(code=wanted):
            is_right = status in {403, 404, 422, 429} and found is None and code == wanted
        case _:
            is_right = False
    said = f"{asked.key} sent for {asked.reason.code}: {status}, {found and (found.state, found.needs)}, {code}"
    return None if is_right else f"{said}, where policy says {policy}"
