"""`entitlement.run_recalculation`: recalculate exactly the tenants of a plan, canaries first."""

from console.actions.entitlement.sweeps import PLACE, RUN_FIELD, RunParams, apply_move, run_params, sweep_of
from console.domain.changes import AccessEffect, Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.recalculations import CANARIES, CANARY_WAIT_S, FAILED_PERCENT, Sweep, SweepState, frozen_digest
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach

JOB = "entitlement.run_recalculation"
_MOST = 10_000_000


def preview(params: RunParams, tools: Tools) -> Preview:
    """Return how many gain and lose; the fingerprint binds the frozen list. Raises: Fault."""
    sweep = _planned(params, tools)
    takes = -(-sweep.planned // sweep.rate_per_s) + CANARY_WAIT_S
    return Preview(
        sentence=f"Recalculate {sweep.planned:,} tenants: {sweep.gaining:,} gain, {sweep.losing:,} lose",
        changes=(
            Change(field="Recalculation", before=sweep.state.value, after=SweepState.RUNNING.value),
            Change(field="Tenants that only gain", before=None, after=f"{sweep.gaining:,}"),
            Change(field="Tenants that lose something", before=None, after=f"{sweep.losing:,}"),
            Change(field="List", before=None, after=f"{sweep.planned:,} tenants, digest {sweep.digest}"),
            Change(field="At most", before=None, after=f"{sweep.rate_per_s} a second, {takes} seconds or longer"),
        ),
        fingerprint={"run": sweep.id, "digest": sweep.digest or "", "planned": sweep.planned},
        facts={"losing": sweep.losing},
        warnings=(
            f"{CANARIES} tenants come first; then it checks them and waits {CANARY_WAIT_S} seconds before the others.",
            (
                "A tenant that would lose more than this plan says is left as it is and pauses the run; so do failures "
                f"of more than {FAILED_PERCENT} %. It can be paused and cancelled."
            ),
        ),
        customer="What the product lets these tenants do follows as their turn comes.",
        target_type="recalculation",
        target_id=sweep.id,
        access=AccessEffect(
            sentence=f"Access changes as each tenant's turn comes: {sweep.gaining:,} only gain, {sweep.losing:,} lose "
            "something."
        ),
    )


def apply(params: RunParams, tools: Tools) -> Applied:
    """Set the run going; the job that works it off is queued with the outcome."""
    sweep = _planned(params, tools)
    return apply_move(
        tools,
        sweep,
        SweepState.RUNNING,
        sentence=f"The recalculation of {sweep.planned:,} tenants is running.",
        started_at=tools.now,
    )


def follow_up(params: RunParams, _execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that works the list off; its key lets a run have one and no second."""
    return (JobDraft(kind=JOB, key=f"recalculate:{params.run}", payload={"run": params.run}),)


def _planned(params: RunParams, tools: Tools) -> Sweep:
    sweep = sweep_of(tools, params.run, (SweepState.PLANNED,))
    if sweep.expires_at <= tools.now:
        raise Fault("run", f"This plan was good until {minute_of(sweep.expires_at)}; plan it again.")
    if sweep.planned == 0:
        raise Fault("run", "Every tenant's access is up to date; there is nothing to recalculate.")
    listed = tools.books().recalculations.tenants(sweep.id, after=0, limit=_MOST)
    counted = (len(listed), sum(each.is_loser for each in listed))
    if frozen_digest(listed) != sweep.digest or counted != (sweep.planned, sweep.losing):
        raise Fault("run", "The frozen list is not what was planned. Tell security; plan it again.")
    return sweep


ACTION = Action(
    key=ActionKey("entitlement.run_recalculation"),
    version=2,
    title="Recalculate many tenants",
    button="Run recalculation",
    icon="circle-play",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(RUN_FIELD,),
    build=run_params,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Recalculates exactly the tenants of a plan, canaries first, and stops when it goes otherwise.",
    customer_sees="What it may use as of now, and the recalculation in the access log.",
    place=PLACE,
    is_beside_its_thing=True,
)
