"""Vote on the digest that was shown; the last needed vote approves, any rejection ends."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.decisions import Deny, DenyCode, Fact, NeedsStepUp
from console.domain.errors import ConflictError, NotFoundError, OutsideError, TrailUnavailableError, UncertainError
from console.domain.ids import Digest, RequestId
from console.domain.requests import Event, Request, State, Verdict, Vote, after
from console.domain.staff import Actor
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query
from console.usecases.eligibility import seats_held, tally
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.notices import tell_requester
from console.usecases.outcomes import Execution
from console.usecases.recording import (
    RefusedInsideError,
    authorised,
    emit,
    moved_target,
    refuse_on,
    request_target,
    tenant_ref,
)
from console.usecases.verify_request import expire, tampered, wrong_state

_ROUNDS = 5
_LONGEST_COMMENT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """The vote counts; `execution` is what came of it where the last vote sets the action off."""

    request: Request
    execution: Execution | None = None


def vote_on_request(
    house: House, actor: Actor, *, request_id: RequestId, digest: Digest, verdict: Verdict, comment: str = ""
) -> Voted | Deny | NeedsStepUp:
    """Cast one vote.

    Raises: NotFoundError, ConflictError after five lost races, UncertainError when the vote counts and its run failed.
    """
    for _round in range(_ROUNDS):
        try:
            with house.store.write() as unit:
                request = unit.requests.get(request_id)
                if request is None:
                    raise NotFoundError("There is no such request.")
                answer = _cast(house, unit, actor, request, digest=digest, verdict=verdict, comment=comment)
            break
        except RefusedInsideError:
            continue  # another vote, edit or cancel was faster: look again at what holds now
    else:
        raise ConflictError("Too many people changed this request at once; look at it again.")
    if isinstance(answer, Deny | NeedsStepUp):
        refuse_on(house, actor, "request.vote_refused", answer, request)
        return answer
    if answer.state is State.APPROVED and house.book.actions[request.action].runs == "on_approval":
        try:
            return Voted(request=answer, execution=execute_request(house, actor, request_id=request_id))
        except (OutsideError, TrailUnavailableError) as away:  # the vote is kept, and in the trail
            message = "Your vote counts, and completed the approval. What it set off did not come to its end."
            raise UncertainError(message, permanent=False, request=request_id) from away
    return Voted(request=answer)


def vote_facts(unit: ControlUnit, actor: Actor, request: Request) -> dict[str, Fact]:
    """Return what policy asks about a voter."""
    member = unit.staff.get(actor.staff)
    open_needs = tally(unit, request, unit.requests.votes(request.id)).missing or request.needs
    asked = frozenset(role for need in open_needs for role in need.roles)
    return {
        "action_key": request.action,
        "is_requester": actor.person in request.requesters,
        "holds_seat": bool(actor.roles & asked),
        "was_seen": unit.requests.was_rendered(request.id, revision=request.revision, staff=actor.staff),
        "held_when_filed": bool(seats_held(unit, request, member, open_needs)),
        "is_tenant_request": request.tenant is not None,
    }


def _cast(
    house: House, unit: ControlUnit, actor: Actor, request: Request, *, digest: Digest, verdict: Verdict, comment: str
) -> Request | Deny | NeedsStepUp:
    # 1. may this person vote; a bystander learns nothing of how the request stands
    now = house.clock.now()
    decision = ask(
        house,
        query(
            actor,
            "request.vote",
            now=now,
            tenant=request.tenant,
            requesters=request.requesters,
            facts=vote_facts(unit, actor, request),
        ),
        unit,
    )
    if isinstance(decision, Deny) and decision.code is not DenyCode.DIFF_NOT_SEEN:
        return decision
    # 2. clock and state, before a voter is sent to read the diff or for a second factor in vain
    lapsed = expire(house, unit, actor, request, now=now)
    if lapsed is not None:
        return lapsed
    if request.state is not State.PENDING:
        return wrong_state(request)
    if isinstance(decision, Deny | NeedsStepUp):
        return decision
    # 3. the digest they saw is the one that stands, and that what is stored still has
    if digest != request.digest:
        return denied(
            DenyCode.STALE_DIGEST, "The request was changed after you looked.", "Read the new diff, then vote."
        )
    if request.recomputed_digest() != request.digest:
        return tampered(house, unit, actor, request, now=now)
    # 4. store the vote, once per person and revision
    vote = _vote(actor, request, verdict=verdict, comment=comment, now=now)
    if not unit.requests.add_vote(vote):
        return denied(DenyCode.ALREADY_VOTED, "You voted on this already.", "Wait for the others.")
    emit(
        unit,
        actor,
        "request.vote",
        at=now,
        governed=request.action,
        reason=request.reason,
        authorisation=authorised(house, decision, request, (vote,)),
        targets=request_target(request, moves=True),
        tenant=tenant_ref(unit, request.tenant, source="request"),
        correlation=request.id,
        facts={"verdict": verdict.value},
    )
    return _move_on(house, unit, actor, request, verdict=verdict, now=now)


def _vote(actor: Actor, request: Request, *, verdict: Verdict, comment: str, now: datetime) -> Vote:
    return Vote(
        request=request.id,
        revision=request.revision,
        staff=actor.staff,
        person=actor.person,
        name=actor.name,
        verdict=verdict,
        digest=request.digest,
        roles=actor.roles,
        stepped_up_by=actor.stepped_up_by,
        comment=comment.strip()[:_LONGEST_COMMENT],
        cast_at=now,
    )


def _move_on(
    house: House, unit: ControlUnit, actor: Actor, request: Request, *, verdict: Verdict, now: datetime
) -> Request:
    """Take the one transition that the votes ask for; a lost race rolls everything back."""
    counted = tally(unit, request, unit.requests.votes(request.id))
    if verdict is Verdict.REJECT:
        event = Event.REJECT
        moved = replace(request, finished_at=now, ended_because=f"rejected by {actor.name}")
    elif counted.missing:
        event, moved = Event.VOTE, request
    else:
        event = Event.QUORUM
        moved = replace(request, execute_by=now + timedelta(minutes=request.execute_minutes))
    to = after(request.state, event)
    fields = {"finished_at": moved.finished_at, "ended_because": moved.ended_because, "execute_by": moved.execute_by}
    if to is None or not unit.requests.move(request, to, **fields):
        raise RefusedInsideError(wrong_state(request))
    moved = replace(moved, state=to, version=request.version + 1)
    if event is Event.VOTE:
        return moved
    action = "request.rejected" if event is Event.REJECT else "request.approved"
    emit(
        unit,
        actor,
        action,
        at=now,
        governed=request.action,
        reason=request.reason,
        authorisation=None,
        targets=moved_target(moved),
        tenant=tenant_ref(unit, request.tenant, source="request"),
        correlation=request.id,
    )
    word = "rejected" if event is Event.REJECT else "approved"
    tell_requester(house, unit, moved, kind=word, sentence=f"{actor.name} {word} your request.", at=now)
    return moved
