"""Every kind of job there is, and what comes again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.usecases.expire_payloads import expire_payloads
from console.usecases.job_outcomes import JobKind
from console.usecases.run_replay import run_replay

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A job that is queued at every slot of its interval. Units: `every_s` seconds."""

    id: str
    kind: str
    every_s: int


_KINDS = (
    JobKind(kind="webhook.replay", title="Work off a bulk replay", handler=run_replay, is_tenant_bound=True),
    JobKind(
        kind="webhook.expire_payloads",
        title="Take away payloads whose retention has ended",
        handler=expire_payloads,
        is_tenant_bound=False,
    ),
)
KINDS: Mapping[str, JobKind] = MappingProxyType({each.kind: each for each in _KINDS})

RECURRING: tuple[Recurring, ...] = (
    Recurring(id="webhook.expire_payloads", kind="webhook.expire_payloads", every_s=_DAY_S),
)
