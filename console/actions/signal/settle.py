"""`signal.settle`: say what a signal was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.signals import Signal, SignalId, State
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_NOTHING_SEEN = "Nothing: signals are the company's own."
_FLAGGED = "What was done is flagged: it is reviewed by somebody who had no part in it."
_VERDICTS = {
    State.HARMLESS: "Harmless: there was a good reason",
    State.CONFIRMED: "Confirmed: it should not have happened",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`signal` is one that is open; `note` says what it was, or what follows from it."""

    signal: SignalId
    verdict: State
    note: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    found = next((state for state in _VERDICTS if state.value == values["verdict"]), None)
    if found is None:
        raise Fault("verdict", "Choose harmless or confirmed.")
    return Params(signal=SignalId(values["signal"]), verdict=found, note=values["note"].strip())


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return what a signal can have been."""
    if field != "verdict":
        return ()
    return tuple(Choice(value=state.value, label=label) for state, label in _VERDICTS.items())


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be said of the signal; raises Fault."""
    signal = _open(params, tools)
    return Preview(
        sentence=f"Settle the signal {signal.summary!r} as {params.verdict.value}",
        changes=(
            Change(field="State", before=signal.state.value, after=params.verdict.value),
            Change(field="What it was", before=None, after=params.note),
        ),
        fingerprint={"signal": signal.id, "hits": signal.hits},
        facts={"is_own": signal.is_about(tools.requester)},
        warnings=(_FLAGGED,) if params.verdict is State.CONFIRMED else (),
        customer=_NOTHING_SEEN,
        target_type="signal",
        target_id=signal.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the verdict, and flag what should not have happened; raises Fault when somebody was faster."""
    signal = _open(params, tools)
    book = tools.books().signals
    if not book.settle(signal.id, params.verdict, by=tools.requester, at=tools.now, note=params.note):
        raise Fault("signal", "Somebody else settled it meanwhile; look at it again.")
    if params.verdict is State.CONFIRMED:
        tools.books().flag(signal, at=tools.now)
    return Applied(
        sentence=f"The signal was {params.verdict.value}: {signal.summary}.",
        changes=(Change(field="State", before=signal.state.value, after=params.verdict.value),),
        made=signal.id,
    )


def _open(params: Params, tools: Tools) -> Signal:
    signal = tools.books().signals.get(params.signal)
    if signal is None:
        raise Fault("signal", "There is no such signal.")
    if signal.state is not State.OPEN:
        raise Fault("signal", "It is settled; look at it again.")
    return signal


ACTION = Action(
    key=ActionKey("signal.settle"),
    version=1,
    title="Settle a signal",
    button="Settle",
    icon="badge-check",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="signal", label="Signal", input=Input.TEXT, most=64, is_fixed_by_link=True),
        ParamField(name="verdict", label="What it was", input=Input.CHOICE),
        ParamField(
            name="note",
            label="Explanation",
            input=Input.LONG_TEXT,
            least=10,
            most=1_000,
            help="What you found out, and from whom; or what follows from it.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Says what a signal was: harmless or confirmed, by somebody whom it is not about.",
    customer_sees=_NOTHING_SEEN,
    place="signals",
    is_beside_its_thing=True,
)
