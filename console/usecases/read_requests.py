"""The inbox and the page of one request; showing the diff to an approver is remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.break_glass import GlassUse
from console.domain.decisions import Allow, Decision, Deny, Fact
from console.domain.errors import NotFoundError
from console.domain.ids import RequestId, TenantId
from console.domain.requests import Event, Request, State, Vote, legal_events
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.actions import Action
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.asking import ask, ask_many, query, refusal_of
from console.usecases.break_glass import never_runs
from console.usecases.eligibility import Tally, can_be_met, eligible_names, tally
from console.usecases.house import House
from console.usecases.open_review import may_judge
from console.usecases.recording import authorised, emit, refuse, refuse_on, request_target, tenant_ref
from console.usecases.verify_request import expire
from console.usecases.vote_on_request import vote_facts

_PAGE = 50
_TIMELINE = 100
_COUNT_AT_MOST = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request in a list, with the tenant as the directory names it.

    Shape: of one that `is_closed` to the reader, a list says what kind it is, who asked and how it stands, no more.
    """

    request: Request
    tenant: DirectoryRow | None
    title: str
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """One tab of the inbox; `older` is the key to ask for what follows, `waiting` counts what waits (to 99)."""

    tab: str
    lines: Sequence[Line]
    older: RequestId | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """Everything about one request, and which verbs are legal for this person now.

    Shape: `may` maps `vote`, `execute`, `cancel`, `revoke`, `revise` to policy's answer, only for verbs that the
    state allows; `is_satisfiable` says whether enough eligible approvers exist, `eligible` who they are by group;
    `glass` is the use of break-glass behind it, `taint` an earlier one on its tenant.
    """

    request: Request
    action: Action[object] | None
    tenant: DirectoryRow | None
    state: State
    votes: Sequence[Vote]
    tally: Tally
    is_satisfiable: bool
    eligible: Mapping[str, tuple[str, ...]]
    revisions: Sequence[Request]
    entries: Sequence[StoredEntry]
    may: dict[str, Decision]
    may_read_trail: bool
    now: datetime
    glass: GlassUse | None = None
    taint: GlassUse | None = None


TABS = ("waiting", "mine", "all")


def read_inbox(house: House, actor: Actor, *, tab: str, after: RequestId | None) -> Inbox | Deny:
    """Return one page of the inbox: what waits for the actor, what they asked for, or all that is open."""
    now = house.clock.now()
    refusal = refusal_of(ask(house, query(actor, "request.list", now=now)))
    if isinstance(refusal, Deny):
        refuse(house, actor, "route.refused", refusal)
        return refusal
    with house.store.write() as unit:
        emit(unit, actor, "request.inbox_read", at=now, facts={"tab": tab})
        if tab == "mine":
            found = unit.requests.mine(actor.staff, after=after, limit=_PAGE + 1)
        elif tab == "all":
            found = unit.requests.recent(states=tuple(State), tenant=None, after=after, limit=_PAGE + 1)
        else:
            found = unit.requests.waiting_for(actor.staff, actor.roles, now=now, after=after, limit=_PAGE + 1)
        lines = as_open_to(house, actor, lines_of(house, unit, found[:_PAGE]))
        waiting = unit.requests.count_waiting_for(actor.staff, actor.roles, now=now, most=_COUNT_AT_MOST)
    older = found[_PAGE - 1].id if len(found) > _PAGE else None
    return Inbox(tab=tab, lines=lines, older=older, waiting=waiting)


def lines_of(house: House, unit: ControlUnit, requests: Sequence[Request]) -> list[Line]:
    """Return requests with their tenants' names, in one more statement."""
    rows = unit.directory.many([TenantId(r.tenant) for r in requests if r.tenant is not None])
    return [Line(request=r, tenant=rows.get(r.tenant) if r.tenant else None, title=_title(house, r)) for r in requests]


def are_open_to(house: House, actor: Actor, requests: Sequence[Request]) -> list[bool]:
    """Return of each request whether somebody may open it: what is asked about a tenant is that tenant's data.

    Policy is asked once for all requests on one tenant to which somebody stands in the same way.
    """
    now = house.clock.now()
    standings = [_standing(actor, request) for request in requests]
    keys = [(request.tenant, *standing.items()) for request, standing in zip(requests, standings, strict=True)]
    asked = {
        key: query(actor, "request.read", now=now, tenant=request.tenant, facts=standing)
        for key, request, standing in zip(keys, requests, standings, strict=True)
    }
    answers = dict(zip(asked, ask_many(house, list(asked.values())), strict=True))
    return [not isinstance(answers[key], Deny) for key in keys]


def as_open_to(house: House, actor: Actor, lines: Sequence[Line]) -> list[Line]:
    """Close the lines whose request the reader may not open."""
    may = are_open_to(house, actor, [line.request for line in lines])
    return [
        line if is_open else replace(line, tenant=None, is_closed=True)
        for line, is_open in zip(lines, may, strict=True)
    ]


def _standing(actor: Actor, request: Request) -> dict[str, Fact]:
    """Return how somebody stands to a request, as far as the request itself says it."""
    seats = frozenset(role for need in request.needs for role in need.roles)
    return {
        "action_key": request.action,
        "is_requester": actor.person in request.requesters,
        "holds_seat": bool(actor.roles & seats),
        "was_seen": False,
        "held_when_filed": False,
        "is_tenant_request": request.tenant is not None,
    }


def read_request(house: House, actor: Actor, *, request_id: RequestId) -> RequestPage | Deny:
    """Return the page of a request; the clocks are applied first. Raises: NotFoundError."""
    now = house.clock.now()
    with house.store.write() as unit:
        request = unit.requests.get(request_id)
        if request is None:
            raise NotFoundError("There is no such request.")
        if expire(house, unit, actor, request, now=now) is not None:
            request = unit.requests.get(request_id) or request
        facts = vote_facts(unit, actor, request)
        facts["holds_seat"] = bool(facts["holds_seat"]) or may_judge(unit, actor, request.id)
        decision = ask(
            house,
            query(actor, "request.read", now=now, tenant=request.tenant, requesters=request.requesters, facts=facts),
        )
        if not isinstance(decision, Deny):
            unit.requests.rendered(request.id, revision=request.revision, staff=actor.staff, at=now)
            emit(
                unit,
                actor,
                "request.read",
                at=now,
                governed=request.action,
                authorisation=authorised(house, decision, request),
                tenant=tenant_ref(unit, request.tenant, source="request"),
                targets=request_target(request),
                correlation=request.id,
            )
            return _page(house, unit, actor, request)
    refuse_on(house, actor, "request.read_refused", decision, request)
    return decision


def _page(house: House, unit: ControlUnit, actor: Actor, request: Request) -> RequestPage:
    now = house.clock.now()
    votes = unit.requests.votes(request.id)
    return RequestPage(
        request=request,
        action=house.registry.get(request.action),
        tenant=None if request.tenant is None else unit.directory.get(request.tenant),
        state=request.state_at(now),
        votes=votes,
        tally=tally(unit, request, votes),
        is_satisfiable=can_be_met(unit, request),
        eligible={need.name: eligible_names(unit, request, need) for need in request.needs},
        revisions=unit.requests.revisions(request.id),
        entries=unit.reader.page(EntryFilter(correlation=request.id), before=None, limit=_TIMELINE),
        may=_may(house, unit, actor, request),
        may_read_trail=not isinstance(ask(house, query(actor, "trail.read", now=now, facts={"scope": "all"})), Deny),
        now=now,
        glass=unit.glass.of(request.id),
        taint=None if request.tenant is None else unit.glass.tainting(request.tenant, request.filed_at),
    )


_VERBS = {
    Event.VOTE: "vote",
    Event.START: "execute",
    Event.CANCEL: "cancel",
    Event.REVOKE: "revoke",
    Event.REVISE: "revise",
}


def _may(house: House, unit: ControlUnit, actor: Actor, request: Request) -> dict[str, Decision]:
    now = house.clock.now()
    state = request.state_at(now)
    verbs = [verb for event, verb in _VERBS.items() if event in legal_events(state)]
    if state is State.COUNTING_DOWN and now < request.approve_by:
        verbs.remove("execute")
    if never_runs(unit, request) is not None:
        verbs = [verb for verb in verbs if verb not in {"execute", "revise"}]
    facts = vote_facts(unit, actor, request)
    has_voted = any(
        v.person == actor.person and v.revision == request.revision and v.voided_because is None
        for v in unit.requests.votes(request.id)
    )
    wanted: dict[str, tuple[str, ...]] = {
        "vote": tuple(facts),
        "execute": ("action_key", "is_requester"),
        "cancel": ("is_requester",),
        "revise": ("is_requester",),
        "revoke": ("is_requester", "holds_seat"),
    }
    asked = []
    for verb in verbs:
        given = {name: facts[name] for name in wanted[verb]} | ({"has_voted": has_voted} if verb == "execute" else {})
        asked.append(
            query(actor, f"request.{verb}", now=now, tenant=request.tenant, requesters=request.requesters, facts=given)
        )
    may = dict(zip(verbs, ask_many(house, asked), strict=True))
    return {
        verb: answer for verb, answer in may.items() if not (verb == "vote" and has_voted and isinstance(answer, Allow))
    }


def _title(house: House, request: Request) -> str:
    action = house.registry.get(request.action)
    return request.action if action is None else action.title
