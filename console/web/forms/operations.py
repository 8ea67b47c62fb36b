"""The filters of jobs and of the inbox, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.ids import InboundId, JobId, TenantId
from console.domain.inbound import InboundState
from console.domain.jobs import JobState
from console.usecases.read_operations import JobFilter
from console.web.forms.posted import Sent

JOB_FILTERS = ("state", "kind", "fingerprint", "tenant")
_LONGEST = 120
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_KIND = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsForm:
    """The filters as typed and as understood; `before` is the job to go on from."""

    typed: Mapping[str, str]
    which: JobFilter
    before: JobId | None
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxForm:
    """Which events of the inbox are wanted."""

    typed: Mapping[str, str]
    state: InboundState | None
    event_type: str | None
    before: InboundId | None
    faults: Mapping[str, str]


def read_job_filters(query: Sent) -> JobsForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    typed = {name: query.get(name, "").strip()[:_LONGEST] for name in JOB_FILTERS if query.get(name, "").strip()}
    faults: dict[str, str] = {}
    if "state" in typed and typed["state"] not in set(JobState):
        faults["state"] = "Choose one of the states."
    if "kind" in typed and not _KIND.fullmatch(typed["kind"]):
        faults["kind"] = "Give a kind, like webhook.replay."
    if "tenant" in typed and not _ID.fullmatch(typed["tenant"]):
        faults["tenant"] = "Give a tenant id, like ten_01J8…"
    fine = {name: value for name, value in typed.items() if name not in faults}
    before = query.get("before", "")
    return JobsForm(
        typed=typed,
        which=JobFilter(
            state=JobState(fine["state"]) if "state" in fine else None,
            kind=fine.get("kind"),
            fingerprint=fine.get("fingerprint"),
            tenant=TenantId(fine["tenant"]) if "tenant" in fine else None,
        ),
        before=JobId(before) if _ID.fullmatch(before) else None,
        faults=faults,
    )


def read_inbox_filters(query: Sent) -> InboxForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    names = ("state", "event_type")
    typed = {name: query.get(name, "").strip()[:_LONGEST] for name in names if query.get(name, "").strip()}
    faults: dict[str, str] = {}
    if "state" in typed and typed["state"] not in set(InboundState):
        faults["state"] = "Choose one of the states."
    if "event_type" in typed and not _KIND.fullmatch(typed["event_type"]):
        faults["event_type"] = "Give a type, like invoice.paid."
    before = query.get("before", "")
    return InboxForm(
        typed=typed,
        state=InboundState(typed["state"]) if "state" in typed and "state" not in faults else None,
        event_type=typed.get("event_type") if "event_type" not in faults else None,
        before=InboundId(before) if _ID.fullmatch(before) else None,
        faults=faults,
    )
