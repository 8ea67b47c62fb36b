"""Which jobs an action means: one, or all that failed in one way; and which of them it can reach."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Change, Preview
from console.domain.ids import JobId
from console.domain.jobs import Job, JobEvent, JobState, legal
from console.ports.action_tools import Tools
from console.ports.actions import Fault, Input, ParamField

AT_ONCE = 1_000
_PAGE = 200

FIELDS = (
    ParamField(name="job", label="Job", input=Input.TEXT, most=64, is_required=False, is_fixed_by_link=True),
    ParamField(name="kind", label="Kind", input=Input.TEXT, most=64, is_required=False, is_fixed_by_link=True),
    ParamField(
        name="fingerprint", label="Fingerprint", input=Input.TEXT, most=128, is_required=False, is_fixed_by_link=True
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """One `job`, or all dead ones of a `kind` with one `fingerprint`."""

    job: JobId | None
    kind: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Jobs that can be reached, and how many cannot, by reason."""

    eligible: tuple[Job, ...]
    ineligible: Mapping[str, int]
    is_cut: bool

    @property
    def found(self) -> int:
        """Return how many were looked at."""
        return len(self.eligible) + sum(self.ineligible.values())


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault for one job and a group at once, or neither."""
    job, kind, fingerprint = values["job"], values["kind"], values["fingerprint"]
    if bool(job) == bool(kind or fingerprint):
        raise Fault("job", "Give one job, or the kind and fingerprint of a group.")
    if not job and not (kind and fingerprint):
        raise Fault("fingerprint", "A group is named by its kind and its fingerprint together.")
    return Params(job=JobId(job) if job else None, kind=kind, fingerprint=fingerprint)


def chosen(params: Params, event: JobEvent, tools: Tools) -> Chosen:
    """Return the jobs that are meant; raises Fault when there are none that can be reached."""
    found, is_cut = ([_one(params.job, tools)], False) if params.job is not None else _group(params, tools)
    eligible, ineligible = [], Counter[str]()
    for job in found:
        because = _out_of_reach(job, event, tools)
        if because is None:
            eligible.append(job)
        else:
            ineligible[because] += 1
    if not eligible:
        reasons = ", ".join(f"{count:,} {because}" for because, count in sorted(ineligible.items()))
        field = "job" if params.job is not None else "fingerprint"
        raise Fault(field, f"Nothing can be done here: {reasons or 'no dead job failed in this way'}.")
    return Chosen(eligible=tuple(eligible), ineligible=dict(ineligible), is_cut=is_cut)


def preview_jobs(params: Params, event: JobEvent, tools: Tools, *, sentence: str, after: str, warning: str) -> Preview:
    """Return how many jobs would move, and how many stay with the reasons; raises Fault."""
    found = chosen(params, event, tools)
    changes = [Change(field="Jobs", before=f"{found.found:,} found", after=f"{len(found.eligible):,} {after}")]
    changes += [
        Change(field="Stays", before=None, after=f"{count:,} {because}")
        for because, count in sorted(found.ineligible.items())
    ]
    first = found.eligible[0]
    more = (f"There are more: these are the newest {AT_ONCE:,}; do it again for the rest.",) if found.is_cut else ()
    return Preview(
        sentence=sentence.format(count=f"{len(found.eligible):,}", kind=first.kind),
        changes=tuple(changes),
        fingerprint={"job": first.id, "version": first.version} if params.job is not None else {},
        warnings=(warning, *more),
        customer="What the job does, if it does something for a tenant.",
        target_type="job" if params.job is not None else "jobs",
        target_id=params.job or f"{params.kind} {params.fingerprint}",
    )


def _one(wanted: JobId, tools: Tools) -> Job:
    job = tools.books().jobs.get(wanted)
    if job is None:
        raise Fault("job", "There is no such job.")
    return job


def _group(params: Params, tools: Tools) -> tuple[list[Job], bool]:
    found: list[Job] = []
    while len(found) <= AT_ONCE:
        page = tools.books().jobs.page(
            state=JobState.DEAD,
            kind=params.kind,
            fingerprint=params.fingerprint,
            tenant=None,
            before=found[-1].id if found else None,
            limit=_PAGE,
        )
        found += page
        if len(page) < _PAGE:
            break
    return found[:AT_ONCE], len(found) > AT_ONCE


def _out_of_reach(job: Job, event: JobEvent, tools: Tools) -> str | None:
    if event not in legal(job.state):
        return f"{job.state.value} already"
    if event is JobEvent.RETRY and job.actor is not None:
        member = tools.books().staff.get(job.actor)
        if member is None or not member.is_active:
            return "without authority: whoever asked for it has left"
    return None
