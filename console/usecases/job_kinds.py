"""Every kind of job there is, and what comes again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.domain.billing.resyncing import JOB as RESYNC_JOB
from console.domain.billing.resyncing import STOP_JOB
from console.usecases.expire_payloads import expire_payloads
from console.usecases.find_gaps import GAPS_EVERY_S, GAPS_JOB, find_gaps
from console.usecases.hold_deliveries import hold_deliveries
from console.usecases.job_outcomes import JobKind
from console.usecases.process_inbound import process_inbound
from console.usecases.receive_inbound import PROCESS_JOB
from console.usecases.resync_mirror import resync_mirror, stop_resync
from console.usecases.run_replay import rest_replay, run_replay

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
    JobKind(kind=PROCESS_JOB, title="Process an event of a provider", handler=process_inbound, is_tenant_bound=False),
    JobKind(
        kind=GAPS_JOB,
        title="Compare a provider's list of events with what came",
        handler=find_gaps,
        is_tenant_bound=False,
    ),
)
KINDS: Mapping[str, JobKind] = MappingProxyType({each.kind: each for each in _KINDS})

RECURRING: tuple[Recurring, ...] = (
    Recurring(id="webhook.expire_payloads", kind="webhook.expire_payloads", every_s=_DAY_S),
    Recurring(id=GAPS_JOB, kind=GAPS_JOB, every_s=GAPS_EVERY_S),
)
