"""Measure a drill of the kill switch: ask at every door what real work would ask, and note when each would refuse."""

from console.actions.freeze.drill import JOB
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.ids import ActionKey, FreezeId, TenantId
from console.domain.jobs import Job
from console.domain.staff import Actor
from console.policy.decide import neutral_facts
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.job_outcomes import Done, JobRefusedError
from console.usecases.recording import emit_as

DRILL_JOB = JOB
_ASKED = ("lease.open", "tenant.read", "tenant.add_note", "request.vote", "request.execute")
_ANY = TenantId("ten_drill")  # no tenant is touched: only what policy would be asked counts


def rehearse_freeze(house: House, job: Job) -> Done:
    """Ask one question at each door, in a unit of its own as real work does; the runner has noted its own door."""
    drill = FreezeId(str(job.payload.get("drill")))
    with house.store.read() as unit:
        found = unit.freezes.get(drill)
        member = None if job.actor is None else unit.staff.get(job.actor)
    if found is None or not found.is_drill or member is None:
        raise JobRefusedError("There is no such drill.")
    asker = Actor(
        staff=member.id,
        person=member.person,
        name=member.name,
        email=member.email,
        roles=member.roles,
        kind=member.kind,
    )
    for verb in _ASKED:
        facts = dict(neutral_facts(house.book, ActionKey(verb)))
        with house.store.write() as unit:
            now = house.clock.now()
            ask(house, query(asker, verb, now=now, tenant=_ANY, leased=_ANY, facts=facts), unit)

    def record(unit: ControlUnit) -> None:
        seen = unit.freezes.sightings(drill)
        took = {f"{each.door.value}_ms": round((each.at - found.set_at).total_seconds() * 1000) for each in seen}
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "freeze.rehearsed",
            at=house.clock.now(),
            targets=(TargetRef(type="freeze", id=drill, name="drill"),),
            correlation=job.request,
            facts={"is_drill": True, **took},
        )

    return Done(record=record)
