"""End an impersonation: by hand, which is quick, and by the clock that sweeps what nobody asks for any more."""

from console.domain.decisions import Deny, DenyCode
from console.domain.entries import ActorRef, TargetRef
from console.domain.errors import OutsideError
from console.domain.ids import ImpersonationId
from console.domain.impersonations import Impersonation
from console.domain.staff import Actor
from console.usecases.asking import ask, denied, query
from console.usecases.house import House
from console.usecases.impersonation_standing import (
    end_impersonation_in,
    expire_impersonation_in,
    ticket_of,
    why_over,
)
from console.usecases.recording import refuse

_BATCH = 100
_LONGEST_ID = 64
_NONE = denied(DenyCode.NOT_YOURS, "There is no such running impersonation of yours.", "It may have ended by itself.")


def end_impersonation(house: House, actor: Actor, *, impersonation: ImpersonationId) -> Impersonation | Deny:
    """End one's own, or a colleague's where policy lets one; return it as it was."""
    now = house.clock.now()
    with house.store.read() as unit:
        row = unit.impersonations.get(impersonation)
    refusal: Deny = _NONE
    if row is not None:
        is_own = row.staff == actor.staff
        question = query(actor, "impersonation.end", now=now, tenant=row.tenant, facts={"is_own": is_own})
        decision = ask(house, question)
        if not isinstance(decision, Deny):
            with house.store.write() as unit:
                who = ActorRef.of(actor, at=now)
                if end_impersonation_in(unit, who, row, now=now, origin=actor.origin):
                    return row
        else:
            refusal = decision
    target = TargetRef(type="impersonation", id=impersonation[:_LONGEST_ID])
    refuse(house, actor, "impersonation.end_refused", refusal, targets=(target,))
    return refusal


def sweep_impersonations(house: House) -> int:
    """End and record every impersonation that nothing keeps alive; return how many. Nothing waits for this."""
    ended = 0
    after: ImpersonationId | None = None
    while True:
        with house.store.read() as unit:
            rows = unit.impersonations.open_after(after, limit=_BATCH)
        ended += sum(_swept(house, row) for row in rows)
        if len(rows) < _BATCH:
            return ended
        after = rows[-1].id


def _swept(house: House, row: Impersonation) -> bool:
    try:
        ticket = ticket_of(house, row, now=house.clock.now())
    except OutsideError:
        return False  # the ticket system is silent: the next introspection is refused without it, nothing lives on
    with house.store.write() as unit:
        now = house.clock.now()
        row = unit.impersonations.get(row.id) or row
        over = why_over(house, unit, row, ticket=ticket, now=now)
        return over is not None and expire_impersonation_in(unit, row, by=over, now=now)
