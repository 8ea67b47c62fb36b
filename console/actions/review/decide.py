"""`review.decide`: judge what somebody else did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, NoticeId, PersonKey, ReviewId
from console.domain.reasons import Effect
from console.domain.reviews import Review, ReviewState
from console.domain.staff import Role
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach
from console.ports.outbox import Notice

PLACE = "review"
_VERDICTS = {
    ReviewState.OK: "OK: it was right, or right enough",
    ReviewState.FLAGGED: "Flagged: it was not, and somebody must act on it",
}
_TOLD = (Role.SECURITY_AUDITOR, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """A verdict with its reason."""

    review: ReviewId
    verdict: ReviewState
    because: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    if values["verdict"] not in set(_VERDICTS):
        raise Fault("verdict", "Choose one of the two verdicts.")
    return Params(
        review=ReviewId(values["review"]),
        verdict=ReviewState(values["verdict"]),
        because=" ".join(values["because"].split()),
    )


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the verdicts."""
    if field != "verdict":
        return ()
    return tuple(Choice(value=state.value, label=label) for state, label in _VERDICTS.items())


def preview(params: Params, tools: Tools) -> Preview:
    """Return what is judged, and how the person who judges stands to it; raises Fault."""
    review = _open(params, tools)
    member = tools.books().staff.get(tools.requester)
    person = PersonKey("") if member is None else member.person
    return Preview(
        sentence=f"Judge: {review.title}",
        changes=(
            Change(field="Review", before="due", after=params.verdict.value),
            Change(field="Because", before=None, after=params.because),
        ),
        fingerprint={"review": review.id},
        facts={
            "acted": person == review.person,
            "approved": person in review.approvers,
            "gains": person in review.gainers,
        },
        warnings=("A verdict stands for ever.",),
        target_type="review",
        target_id=review.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the verdict, once; a flag is told to security, administrators and whoever acted."""
    review = _open(params, tools)
    books = tools.books()
    if not books.reviews.move(review, params.verdict, by=tools.requester, because=params.because, at=tools.now):
        raise Fault("review", "Somebody else was faster; look at the review again.")
    if params.verdict is ReviewState.FLAGGED:
        told = {member.id for member in books.staff.eligible(_TOLD)} | {review.actor}
        for staff in sorted(told - {tools.requester}):
            books.outbox.add(
                Notice(
                    id=NoticeId(tools.ids.new("ntc")),
                    to=staff,
                    kind="review_flagged",
                    sentence=f"{tools.requester_name} flagged: {review.kind.label} by {review.actor_name}",
                    path="/reviews",
                    at=tools.now,
                )
            )
    return Applied(
        sentence=f"The verdict stands: {params.verdict.value}.",
        changes=(Change(field="Review", before="due", after=params.verdict.value),),
    )


def _open(params: Params, tools: Tools) -> Review:
    review = tools.books().reviews.get(params.review)
    if review is None or review.state is not ReviewState.DUE:
        raise Fault("review", "Choose a review that is still open.")
    return review


ACTION = Action(
    key=ActionKey("review.decide"),
    version=1,
    title="Give a verdict",
    button="Give verdict",
    icon="eye",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="review", label="Review", input=Input.TEXT, most=64, is_fixed_by_link=True),
        ParamField(name="verdict", label="Verdict", input=Input.CHOICE),
        ParamField(
            name="because",
            label="Because",
            input=Input.LONG_TEXT,
            help="What you looked at, and why.",
            least=10,
            most=1_000,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Gives the verdict on what somebody else did: by nobody who acted, approved it or gains by it.",
    customer_sees="Nothing.",
    place=PLACE,
    is_beside_its_thing=True,
)
