"""Every kind of job there is, and what comes again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.actions.billing.ledger import JOB as WRITE_JOB
from console.actions.billing.ledger import LINK_JOB
from console.actions.period.periods import SEAL_JOB
from console.actions.webhook.runs import PLAN_JOB as PLAN_REPLAY_JOB
from console.domain.billing.resyncing import JOB as RESYNC_JOB
from console.domain.billing.resyncing import STOP_JOB
from console.usecases.carry_out_write import carry_out_write, give_write_up
from console.usecases.expire_payloads import expire_payloads
from console.usecases.find_gaps import GAPS_EVERY_S, GAPS_JOB, find_gaps
from console.usecases.fire_break_glass import FIRE_JOB, fire_break_glass
from console.usecases.follow_link import follow_link
from console.usecases.hold_deliveries import hold_deliveries
from console.usecases.job_outcomes import JobKind
from console.usecases.keep_reconciling import (
    KEEP_EVERY_S,
    KEEP_JOB,
    NIGHTLY_EVERY_S,
    NIGHTLY_JOB,
    keep_reconciling,
    start_nightly,
)
from console.usecases.keep_register import REGISTER_EVERY_S, REGISTER_JOB, keep_register
from console.usecases.keep_reviews import KEEP_REVIEWS_EVERY_S, KEEP_REVIEWS_JOB, keep_reviews
from console.usecases.plan_recalculation import PLAN_JOB, plan_recalculation
from console.usecases.plan_replay import plan_replay, rest_plan
from console.usecases.prepare_period import PREPARE_JOB, give_period_up, prepare_period
from console.usecases.process_inbound import process_inbound
from console.usecases.receive_inbound import PROCESS_JOB
from console.usecases.reconciliation_work import RECONCILE_JOB
from console.usecases.rehearse_freeze import DRILL_JOB, rehearse_freeze
from console.usecases.resync_mirror import resync_mirror, stop_resync
from console.usecases.run_recalculation import RUN_JOB, rest_recalculation, run_recalculation
from console.usecases.run_reconciliation import fail_reconciliation, run_reconciliation
from console.usecases.run_replay import rest_replay, run_replay
from console.usecases.seal_period import seal_period
from console.usecases.sweep_access import SWEEP_EVERY_S, SWEEP_JOB, sweep_access
from console.usecases.tell_access import TELL_JOB, tell_access

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A job that is queued at every slot of its interval. Units: `every_s` seconds."""

    id: str
    kind: str
    every_s: int


_KINDS = (
    JobKind(
        kind="webhook.replay",
        title="Work off a bulk replay",
        handler=run_replay,
        is_tenant_bound=True,
        gave_up=rest_replay,
    ),
    JobKind(
        kind=PLAN_REPLAY_JOB,
        title="Make the list of a large bulk replay",
        handler=plan_replay,
        is_tenant_bound=True,
        gave_up=rest_plan,
    ),
    JobKind(
        kind="webhook.expire_payloads",
        title="Take away payloads whose retention has ended",
        handler=expire_payloads,
        is_tenant_bound=False,
    ),
    JobKind(
        kind="webhook.hold",
        title="Let deliveries follow their endpoint's state",
        handler=hold_deliveries,
        is_tenant_bound=True,
    ),
    JobKind(kind=RESYNC_JOB, title="Let mirrors follow the provider", handler=resync_mirror, is_tenant_bound=False),
    JobKind(kind=STOP_JOB, title="Ask a resync to stop", handler=stop_resync, is_tenant_bound=False),
    JobKind(
        kind=WRITE_JOB,
        title="Ask the billing provider for what was approved",
        handler=carry_out_write,
        is_tenant_bound=True,
        gave_up=give_write_up,
    ),
    JobKind(
        kind=LINK_JOB,
        title="Let the directory follow a tenant's customers",
        handler=follow_link,
        is_tenant_bound=True,
    ),
    JobKind(kind=PROCESS_JOB, title="Process an event of a provider", handler=process_inbound, is_tenant_bound=False),
    JobKind(
        kind=GAPS_JOB,
        title="Compare a provider's list of events with what came",
        handler=find_gaps,
        is_tenant_bound=False,
    ),
    JobKind(
        kind=RECONCILE_JOB,
        title="Carry a reconciliation on",
        handler=run_reconciliation,
        is_tenant_bound=False,
        gave_up=fail_reconciliation,
    ),
    JobKind(kind=NIGHTLY_JOB, title="Start the nightly reconciliation", handler=start_nightly, is_tenant_bound=False),
    JobKind(
        kind=KEEP_JOB,
        title="Let waivers lapse and take away what old reconciliations pulled",
        handler=keep_reconciling,
        is_tenant_bound=False,
    ),
    JobKind(
        kind=PREPARE_JOB,
        title="Prepare an accounting period",
        handler=prepare_period,
        is_tenant_bound=False,
        gave_up=give_period_up,
    ),
    JobKind(
        kind=SEAL_JOB,
        title="Write into the manifest of a period who agreed",
        handler=seal_period,
        is_tenant_bound=False,
    ),
)
_GUARD_KINDS = (
    JobKind(kind=KEEP_REVIEWS_JOB, title="Draw and escalate reviews", handler=keep_reviews, is_tenant_bound=False),
    JobKind(kind=FIRE_JOB, title="Fire what broke glass", handler=fire_break_glass, is_tenant_bound=True),
    JobKind(
        kind=DRILL_JOB,
        title="Measure a drill of the kill switch",
        handler=rehearse_freeze,
        is_tenant_bound=False,
    ),
)
_ACCESS_KINDS = (
    JobKind(
        kind=SWEEP_JOB,
        title="Recalculate access that has reached its end",
        handler=sweep_access,
        is_tenant_bound=False,
    ),
    JobKind(
        kind=TELL_JOB,
        title="Tell of a recalculation on a plane elsewhere",
        handler=tell_access,
        is_tenant_bound=True,
    ),
    JobKind(kind=REGISTER_JOB, title="Keep the register of overrides", handler=keep_register, is_tenant_bound=False),
    JobKind(
        kind=PLAN_JOB,
        title="Plan a recalculation of many tenants",
        handler=plan_recalculation,
        is_tenant_bound=False,
    ),
    JobKind(
        kind=RUN_JOB,
        title="Work off a recalculation of many tenants",
        handler=run_recalculation,
        is_tenant_bound=False,
        gave_up=rest_recalculation,
    ),
)
KINDS: Mapping[str, JobKind] = MappingProxyType({each.kind: each for each in (*_KINDS, *_GUARD_KINDS, *_ACCESS_KINDS)})

RECURRING: tuple[Recurring, ...] = (
    Recurring(id=KEEP_REVIEWS_JOB, kind=KEEP_REVIEWS_JOB, every_s=KEEP_REVIEWS_EVERY_S),
    Recurring(id="webhook.expire_payloads", kind="webhook.expire_payloads", every_s=_DAY_S),
    Recurring(id=SWEEP_JOB, kind=SWEEP_JOB, every_s=SWEEP_EVERY_S),
    Recurring(id=REGISTER_JOB, kind=REGISTER_JOB, every_s=REGISTER_EVERY_S),
    Recurring(id=GAPS_JOB, kind=GAPS_JOB, every_s=GAPS_EVERY_S),
    Recurring(id=NIGHTLY_JOB, kind=NIGHTLY_JOB, every_s=NIGHTLY_EVERY_S),
    Recurring(id=KEEP_JOB, kind=KEEP_JOB, every_s=KEEP_EVERY_S),
)
