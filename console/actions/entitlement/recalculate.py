"""`entitlement.recalculate`: bring what the product reads up to date with what decides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.access_changes import access_effect, loss_warnings, no_access_change
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_store import Recalculation, Standing, recalculation
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

_STANDS = {
    Standing.MISSING: "nothing stored",
    Standing.ENDED: "past its end",
    Standing.OUTDATED: "out of date",
    Standing.CURRENT: "up to date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Recalculating needs no parameters."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return the empty parameters."""
    return Params()


def preview(_params: Params, tools: Tools) -> Preview:
    """Return what is stored beside what ought to be, feature by feature, with what decides it."""
    done = _computed(tools)
    rows = len(done.effects.rows)
    nothing = f"The stored set (version {done.after.version}) is up to date: nothing will change."
    return Preview(
        sentence=f"Recalculate access: {rows} feature{'' if rows == 1 else 's'} change",
        changes=(Change(field="Effective set", before=_STANDS[done.standing], after="up to date"),),
        fingerprint={
            "stored": 0 if done.before is None else done.before.version,
            "inputs": done.after.inputs_digest,
            "entitlement_version": tools.plane().account().entitlement_version,
        },
        warnings=loss_warnings(done.effects) if done.is_written else (nothing,),
        customer="What the product lets the tenant do follows at once." if rows else "Nothing.",
        target_type="effective_set",
        target_id=tools.plane().account().tenant,
        access=access_effect(done.effects) if done.is_written else no_access_change(),
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Say what changes; the executor stores the set in this same transaction, as for every action of this kind."""
    done = _computed(tools)
    if not done.is_written:
        return Applied(sentence=f"Nothing to do: the stored set (version {done.after.version}) is up to date.")
    gains, losses = len(done.effects.gains), len(done.effects.losses)
    return Applied(
        sentence=f"Access is recalculated: {gains} gained, {losses} lost; version {done.after.version} holds.",
        changes=_rows(done),
    )


def _computed(tools: Tools) -> Recalculation:
    plane = tools.plane()
    version = plane.account().entitlement_version
    return recalculation(plane.effective_set(), plane.inputs(), source_version=version, now=tools.now)


def _rows(done: Recalculation) -> tuple[Change, ...]:
    return done.effects.changes() if done.is_written else ()


ACTION = Action(
    key=ActionKey("entitlement.recalculate"),
    version=2,
    title="Recalculate access",
    button="Recalculate",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Computes what a tenant may use and stores it for the product; up to date, it does nothing.",
    customer_sees="What it may use as of now, and the recalculation in the access log.",
    place="stored_access",
    moves_access=True,
)
