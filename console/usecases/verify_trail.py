"""Prove the trail whole from its first entry to the newest published checkpoint; the proving is itself an entry."""

from collections.abc import Callable

from console.domain.decisions import Deny, NeedsStepUp
from console.domain.entries import Exposure, Outcome
from console.domain.staff import Actor
from console.ports.sequencer import Sequencer, Verification
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse


def verify_trail(
    house: House, sequencer: Sequencer, actor: Actor, *, progress: Callable[[int, int], None] | None = None
) -> Verification | Deny | NeedsStepUp:
    """Return what a full pass over the trail found. Raises: OutsideError when something cannot be read."""
    decision = ask(house, query(actor, "trail.verify", now=house.clock.now()))
    refusal = refusal_of(decision)
    if refusal is not None:
        refuse(house, actor, "trail.read_refused", refusal)
        return refusal
    found = sequencer.verify(progress)
    with house.store.write() as unit:
        emit(
            unit,
            actor,
            "trail.verified",
            at=house.clock.now(),
            authorisation=authorised(house, decision),
            outcome=Outcome.SUCCESS if found.is_sound else Outcome.FAILED,
            error=None if found.is_sound else found.findings[0].kind.value,
            exposure=Exposure(records=found.sequenced),
            facts={
                "sequenced": found.sequenced,
                "pending": found.pending,
                "root": found.root.hex(),
                "findings": len(found.findings),
            },
        )
    return found
