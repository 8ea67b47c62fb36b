"""The house's own work as its templates want it: queues, failures, schedules, jobs, and the inbox of providers."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from console.domain.ids import TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import FailedGroup, Job, JobEvent, JobState, legal
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_operations import EventPage, InboxPage, JobPage, JobsPage, OperationsPage
from console.web.forms.operations import InboxForm, JobsForm
from console.web.paths import path_of
from console.web.shaping import View, tenant_view, with_query
from console.web.shaping_deliveries import in_words
from console.web.shaping_replays import duration
from console.web.shaping_tenants import placed_links

JOB_STATES: Mapping[JobState, str] = {
    JobState.QUEUED: "Queued",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Done",
    JobState.DEAD: "Dead",
    JobState.DISCARDED: "Discarded",
}
INBOUND_STATES: Mapping[InboundState, str] = {
    InboundState.RECEIVED: "Waiting",
    InboundState.PROCESSED: "Processed",
    InboundState.QUARANTINED: "Quarantined",
    InboundState.FAILED: "Failed",
    InboundState.IGNORED: "Ignored",
}
# Which event of a job each action causes; an action that is not named here is legal in every state.
_CAUSES: Mapping[str, JobEvent] = {"job.retry": JobEvent.RETRY, "job.discard": JobEvent.DISCARD}
_WHY: Mapping[str, str] = {
    "no_handler": "nothing here handles this type",
    "no_customer": "it names no customer or no object",
    "unknown_customer": "nobody here knows this customer",
    "unknown_object": "the provider does not know the object",
    "not_mirrored": "our mirror does not have the object",
    "fresher_mirror": "our mirror was fresher already",
}
_LATE_S = 60
_COUNTED_TO = 10_000


def section_views(current: str, *, sees_inbox: bool, dead: int | None = None, stuck: int | None = None) -> list[View]:
    """Return the pages of operations that this person may open."""
    return [
        {"label": label, "href": path_of(endpoint), "count": count, "is_current": name == current}
        for name, label, endpoint, count in (
            ("queues", "Queues", "operations.index", None),
            ("jobs", "Jobs", "operations.jobs", dead),
            ("inbox", "Inbox", "operations.inbox", stuck),
        )
        if name != "inbox" or sees_inbox
    ]


def operations_view(page: OperationsPage, offers: Sequence[Offer]) -> View:
    """Return queues with their lag, what failed alike, schedules."""
    dead = sum(queue.dead for queue in page.queues)
    stuck = page.inbound.get(InboundState.QUARANTINED, 0) + page.inbound.get(InboundState.FAILED, 0)
    return {
        "views": section_views("queues", sees_inbox=page.sees_inbox, dead=dead or None, stuck=stuck or None),
        "queues": [
            {
                "name": queue.queue,
                "queued": queue.queued,
                "running": queue.running,
                "dead": queue.dead,
                "lag": duration(timedelta(seconds=queue.lag_s)) if queue.lag_s else "none",
                "is_late": queue.lag_s >= _LATE_S,
                "dead_href": path_of("operations.jobs", state=JobState.DEAD.value),
            }
            for queue in page.queues
        ],
        "failed": [_failed(group, offers) for group in page.failed],
        "schedules": [
            {
                "id": schedule.id,
                "kind": schedule.kind,
                "every": f"every {duration(timedelta(seconds=schedule.every_s))}",
                "next_at": schedule.next_at,
                "is_on": schedule.is_on,
                "href": path_of("operations.jobs", kind=schedule.kind),
            }
            for schedule in page.schedules
        ],
        "inbound": _counts(page.inbound) if page.sees_inbox else [],
        "actions": placed_links(offers, None, "operations"),
    }


def jobs_view(page: JobsPage, form: JobsForm, offers: Sequence[Offer]) -> View:
    """Return one page of jobs with its filters as chips."""
    address = path_of("operations.jobs")
    is_group = form.typed.get("state") == JobState.DEAD.value and form.which.kind and form.which.fingerprint
    known = {"kind": form.which.kind or "", "fingerprint": form.which.fingerprint or ""}
    return {
        "views": section_views("jobs", sees_inbox=page.sees_inbox),
        "presets": [
            {"label": label, "href": with_query(address, {"state": state.value} if state else {}), "count": None,
             "is_current": form.typed.get("state", "") == (state.value if state else "")}
            for label, state in (("All", None), *((word, state) for state, word in JOB_STATES.items()))
        ],
        "rows": [_job(job, page.tenants) for job in page.jobs],
        "older": with_query(address, {**form.typed, "before": page.older}) if page.older else "",
        "newest": with_query(address, form.typed) if form.before else "",
        "clear_href": address,
        "chips": [
            {"key": name, "value": value if name != "state" else JOB_STATES.get(form.which.state, value)
             if form.which.state else value,
             "remove_href": with_query(address, {o: v for o, v in form.typed.items() if o != name})}
            for name, value in form.typed.items() if name != "state"
        ],
        "typed": {name: form.typed.get(name, "") for name in ("state", "kind", "fingerprint", "tenant")},
        "faults": form.faults,
        "states": [{"value": "", "label": "Any state"},
                   *({"value": state.value, "label": word} for state, word in JOB_STATES.items())],
        "group_links": placed_links(offers, None, "job", known) if is_group else [],
    }  # fmt: skip


def job_view(page: JobPage, offers: Sequence[Offer]) -> View:
    """Return one job: what it does, under whose authority, what went wrong, and what may be done in its state."""
    job = page.job
    allowed = legal(job.state)
    links = placed_links(offers, None, "job", {"job": str(job.id)})
    return {
        "row": _job(job, {} if page.tenant is None else {page.tenant.id: page.tenant}),
        "job": job,
        "next": _next(job),
        "arguments": json.dumps(page.arguments, indent=2, ensure_ascii=False, sort_keys=True),
        "verbs": [link for link in links if link["key"] not in _CAUSES or _CAUSES[link["key"]] in allowed],
        "tenant": None if page.tenant is None else tenant_view(page.tenant),
        "actor": page.names.get(job.actor, job.actor) if job.actor else "",
        "request_href": path_of("requests.show", request_id=job.request) if job.request else "",
        "request": page.request.preview.sentence if page.request else "",
        "touched": "Discarded by" if job.state is JobState.DISCARDED else "Retried by",
        "retried_by": page.names.get(job.retried_by, job.retried_by) if job.retried_by else "",
        "alike_href": path_of("operations.jobs", state=JobState.DEAD.value, kind=job.kind, fingerprint=job.fingerprint)
        if job.fingerprint else "",
    }  # fmt: skip


def inbox_view(page: InboxPage, form: InboxForm) -> View:
    """Return one page of events from providers, with how many stand in each state."""
    address = path_of("operations.inbox")
    chosen = {"event_type": form.typed["event_type"]} if "event_type" in form.typed else {}
    return {
        "views": section_views("inbox", sees_inbox=True),
        "presets": [
            {"label": "All", "href": with_query(address, chosen), "count": None, "is_current": form.state is None},
            *(
                {"label": word, "href": with_query(address, {**chosen, "state": state.value}),
                 "count": page.counts.get(state, 0) or None, "is_current": form.state is state}
                for state, word in INBOUND_STATES.items()
            ),
        ],
        "rows": [_event(event, page.tenants) for event in page.events],
        "older": with_query(address, {**form.typed, "before": page.older}) if page.older else "",
        "newest": with_query(address, form.typed) if form.before else "",
        "chips": [{"key": "type", "value": form.typed["event_type"],
                   "remove_href": with_query(address, {"state": form.state.value} if form.state else {})}]
        if chosen else [],
        "faults": form.faults,
    }  # fmt: skip


def event_view(page: EventPage, offers: Sequence[Offer]) -> View:
    """Return one event of a provider: what it said, what came of it, and what may be done."""
    event = page.event
    return {
        "row": _event(event, {} if page.tenant is None else {page.tenant.id: page.tenant}),
        "event": event,
        "next": _fate(event),
        "payload": page.payload,
        "bytes": len(event.payload),
        "tenant": None if page.tenant is None else tenant_view(page.tenant),
        "verbs": placed_links(offers, None, "inbound", {"event": str(event.id)}),
        "alike_href": path_of("operations.inbox", event_type=event.event_type),
    }


def _failed(group: FailedGroup, offers: Sequence[Offer]) -> View:
    known = {"kind": group.kind, "fingerprint": group.fingerprint}
    return {
        "kind": group.kind,
        "fingerprint": group.fingerprint,
        "sample": group.sample,
        "count": group.count,
        "oldest_at": group.oldest_at,
        "newest_at": group.newest_at,
        "href": path_of("operations.jobs", state=JobState.DEAD.value, **known),
        "links": placed_links(offers, None, "job", known),
    }


def _job(job: Job, tenants: Mapping[TenantId, DirectoryRow]) -> View:
    row = tenants.get(job.tenant) if job.tenant else None
    return {
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state.value,
        "attempts": job.attempts,
        "most": job.most_attempts,
        "error": job.last_error or "",
        "tenant": None if row is None else tenant_view(row),
        "created_at": job.created_at,
        "run_at": job.run_at,
        "at": job.finished_at or job.run_at,
        "href": path_of("operations.job", job=job.id),
    }


def _next(job: Job) -> str:
    """Return in one sentence what happens to a job if nobody does anything."""
    times = "once" if job.attempts == 1 else f"{job.attempts} times"
    if job.state is JobState.QUEUED:
        return "It runs by itself when its time has come." if not job.last_error else "It failed and is tried again."
    if job.state is JobState.RUNNING:
        return "A worker has it; should that worker vanish, another takes it when the lease has lapsed."
    if job.state is JobState.DEAD:
        return f"It failed {times} and is not tried again by itself. Retry it once the cause is mended."
    if job.state is JobState.DISCARDED:
        return "It was given up by hand and will not run."
    return "It is done."


def _event(event: InboundEvent, tenants: Mapping[TenantId, DirectoryRow]) -> View:
    row = tenants.get(event.tenant) if event.tenant else None
    return {
        "id": event.id,
        "provider": event.provider,
        "event_id": event.event_id,
        "type": event.event_type,
        "state": event.state.value,
        "because": _why(event),
        "tenant": None if row is None else tenant_view(row),
        "customer": event.customer or "",
        "object": event.object_id or "",
        "made_at": event.made_at,
        "received_at": event.received_at,
        "attempts": event.attempts,
        "is_live": event.is_live,
        "is_fetched": event.is_fetched,
        "href": path_of("operations.inbound", event=event.id),
    }


def _fate(event: InboundEvent) -> str:
    """Return in one sentence what became of an event."""
    because = _why(event)
    return {
        InboundState.RECEIVED: "It waits to be processed.",
        InboundState.PROCESSED: "The object was fetched from the provider, and our mirror follows it"
        f"{': ' + because if because else ''}.",
        InboundState.IGNORED: "Nothing here handles events of this type; it is kept and counted.",
        InboundState.QUARANTINED: f"It is set aside: {because or 'nobody knows whose it is'}. Nothing was changed.",
        InboundState.FAILED: f"It could not be processed: {because or 'no reason was kept'}.",
    }[event.state]


def _why(event: InboundEvent) -> str:
    return _WHY.get(event.because or "", in_words(event.because))


def _counts(counts: Mapping[InboundState, int]) -> list[View]:
    return [
        {
            "state": state.value,
            "count": f"{counts.get(state, 0):,}{'+' if counts.get(state, 0) >= _COUNTED_TO else ''}",
            "href": path_of("operations.inbox", state=state.value),
        }
        for state in INBOUND_STATES
    ]
