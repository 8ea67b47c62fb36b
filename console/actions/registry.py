"""The list of governed actions: our own, and those that other packages add by entry point `sallyport.actions`."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from console.actions.billing import (
    apply_payment,
    cancel_duplicate,
    cancel_resync,
    issue_credit,
    link_customer,
    note_dispute,
    refund,
    resync,
    resync_all,
    resync_tenant,
    unlink_customer,
)
from console.actions.entitlement import (
    assign_owner,
    cancel_recalculation,
    end_coverage,
    end_override,
    grant_grace,
    override,
    pause_recalculation,
    plan_recalculation,
    recalculate,
    resume_recalculation,
    run_recalculation,
)
from console.actions.finding import explain, leave, reopen, take, waive
from console.actions.freeze import drill, lift, set_freeze
from console.actions.impersonation import start as start_impersonation
from console.actions.impersonation import widen
from console.actions.inbound import replay
from console.actions.job import discard, retry
from console.actions.lease import top_up
from console.actions.member import reveal
from console.actions.period import close, prepare
from console.actions.period import reopen as reopen_period
from console.actions.reconciliation import cancel, start, start_tenant
from console.actions.review import decide
from console.actions.signal import settle
from console.actions.staff import add, change_roles, deactivate, end_sessions, reactivate, set_country
from console.actions.tenant import add_note, resume, suspend
from console.actions.trust import (
    ask_consent,
    make_token,
    release_hold,
    revoke_token,
    set_hold,
    set_policy,
    set_webhook,
    withdraw_consent,
)
from console.actions.webhook import (
    add_endpoint,
    cancel_delivery,
    cancel_replay,
    change_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    pause_endpoint,
    pause_replay,
    plan_replay,
    reemit,
    resend,
    resume_replay,
    reveal_payload,
    rotate_secret,
    run_replay,
    send_snapshot,
    test_send,
)
from console.domain.errors import ConsoleError
from console.domain.ids import ActionKey
from console.ports.actions import Action, Input

GROUP = "sallyport.actions"
OWN: tuple[Action[Any], ...] = (
    override.ACTION,
    end_override.ACTION,
    recalculate.ACTION,
    assign_owner.ACTION,
    grant_grace.ACTION,
    end_coverage.ACTION,
    plan_recalculation.ACTION,
    run_recalculation.ACTION,
    pause_recalculation.ACTION,
    resume_recalculation.ACTION,
    cancel_recalculation.ACTION,
    reveal.ACTION,
    start_impersonation.ACTION,
    widen.ACTION,
    add_note.ACTION,
    suspend.ACTION,
    resume.ACTION,
    resync.ACTION,
    resync_tenant.ACTION,
    resync_all.ACTION,
    cancel_resync.ACTION,
    refund.ACTION,
    issue_credit.ACTION,
    apply_payment.ACTION,
    cancel_duplicate.ACTION,
    link_customer.ACTION,
    unlink_customer.ACTION,
    note_dispute.ACTION,
    add_endpoint.ACTION,
    change_endpoint.ACTION,
    pause_endpoint.ACTION,
    enable_endpoint.ACTION,
    disable_endpoint.ACTION,
    delete_endpoint.ACTION,
    rotate_secret.ACTION,
    test_send.ACTION,
    send_snapshot.ACTION,
    resend.ACTION,
    reemit.ACTION,
    cancel_delivery.ACTION,
    reveal_payload.ACTION,
    plan_replay.ACTION,
    run_replay.ACTION,
    pause_replay.ACTION,
    resume_replay.ACTION,
    cancel_replay.ACTION,
    retry.ACTION,
    discard.ACTION,
    replay.ACTION,
    start.ACTION,
    start_tenant.ACTION,
    cancel.ACTION,
    settle.ACTION,
    take.ACTION,
    leave.ACTION,
    explain.ACTION,
    waive.ACTION,
    reopen.ACTION,
    prepare.ACTION,
    close.ACTION,
    reopen_period.ACTION,
    top_up.ACTION,
    set_freeze.ACTION,
    lift.ACTION,
    drill.ACTION,
    decide.ACTION,
    add.ACTION,
    change_roles.ACTION,
    deactivate.ACTION,
    reactivate.ACTION,
    end_sessions.ACTION,
    set_country.ACTION,
    make_token.ACTION,
    revoke_token.ACTION,
    set_webhook.ACTION,
    set_hold.ACTION,
    release_hold.ACTION,
    set_policy.ACTION,
    ask_consent.ACTION,
    withdraw_consent.ACTION,
)

Registry = Mapping[ActionKey, Action[Any]]

_KEY = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


class ActionFaultsError(ConsoleError):
    """An action definition cannot be used; `faults` holds one sentence each."""

    code = "action_faults"

    def __init__(self, faults: Iterable[str]) -> None:
        """Keep the sentences, one fault each."""
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def registered(extra: Iterable[EntryPoint] | None = None) -> Registry:
    """Return every action by key; raises ActionFaultsError for a duplicate or a broken definition."""
    points = entry_points(group=GROUP) if extra is None else extra
    actions = [*OWN, *(_loaded(point) for point in points)]
    faults = [fault for action in actions for fault in _faults(action)]
    keys = [action.key for action in actions]
    faults += [
        f"Action {key} is defined twice: rename one of them." for key in sorted({k for k in keys if keys.count(k) > 1})
    ]
    if faults:
        raise ActionFaultsError(faults)
    return MappingProxyType({action.key: action for action in actions})


def _loaded(point: EntryPoint) -> Action[Any]:
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as broken:
        fault = f"Entry point {point.name} of {GROUP} cannot be loaded ({broken}): mend its package or remove it."
        raise ActionFaultsError([fault]) from broken
    if not isinstance(loaded, Action):
        fault = f"Entry point {point.name} of {GROUP} names no Action: point it at one, like `package.module:ACTION`."
        raise ActionFaultsError([fault])
    return loaded


def _faults(action: Action[Any]) -> Iterable[str]:
    if not _KEY.fullmatch(action.key):
        yield f"Action {action.key}: name it noun.verb, lower case."
    if action.version < 1:
        yield f"Action {action.key}: versions start at 1."
    names = [field.name for field in action.fields]
    if len(names) != len(set(names)):
        yield f"Action {action.key}: two fields share a name."
    for field in action.fields:
        if field.input is Input.INTEGER and (field.least is None or field.most is None):
            yield f"Action {action.key}: give the integer field {field.name} its least and most value."
    if not action.documentation.strip() or not action.customer_sees.strip():
        yield f"Action {action.key}: say in a sentence what it does, and what the customer sees."
