"""What ends badly: requests that never ran, what goes wrong on the way, and the door of another house."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from playwright.sync_api import Browser, expect

from console.domain.errors import ConflictError, OutsideError
from console.domain.ids import ActionKey, ReasonCode, RequestId
from console.domain.reasons import Reason
from console.domain.requests import FINAL, Request, State, Verdict
from console.domain.staff import Actor, Origin, StepUpMethod
from console.ports.actions import Fault
from console.usecases.change_request import cancel_request, revoke_request
from console.usecases.execute_request import execute_request
from console.usecases.find_tenant import find_tenant
from console.usecases.keep_time import end_overdue
from console.usecases.open_lease import open_lease
from console.usecases.outcomes import Failed, Waiting
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_request
from console.usecases.sign_in import sign_in_with_password
from console.usecases.vote_on_request import Voted, vote_on_request
from console.web.options import Web
from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import ACME, Stage

_REASON = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301")
_ASKER, _VOTER = "engineer", "support_lead"
_APPLYING = "console.actions.webhook.add_endpoint.key_of"
_BROKEN = "console.web.views.freezes.read_freezes"
_FAULTS: Mapping[int, Exception] = {
    409: ConflictError("Too many people changed this at once; look at it again."),
    500: RuntimeError("the gallery's own"),
    503: OutsideError("the gallery's own", permanent=False),
}
_TOO_LONG = 300_000
_FAILURE = re.compile(r"the server responded with a status of (400|405|413|429|500|503)\b")
_SEND = """([name, text]) => {
  const form = document.querySelector("main form[method=post]");
  const field = form.elements[name] ?? form.appendChild(Object.assign(document.createElement("input"), {name}));
  field.value = text;
  form.submit();
}"""


def ending(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show each way in which a request ends without a change, then what else goes wrong."""
    stranger = Navigator.begin(browser, stage)
    yield from _at_the_door(stranger)
    _expect_failures(stranger)
    leave(stranger)
    ended = _ended(stage)
    engineer = Navigator.begin(browser, stage)
    engineer.sign_in(_ASKER)
    for state in sorted(FINAL - {State.EXECUTED}):  # the gallery's first walk shows one that ran
        engineer.open(f"/requests/{ended[state]}")
        yield f"request-{state.value.replace('_', '-')}", engineer.page
    yield from _mishaps(engineer)
    _expect_failures(engineer)
    leave(engineer)


def _at_the_door(stranger: Navigator) -> Iterator[Shown]:
    for name, is_local in (("sign-in-identity-only", False), ("sign-in-identity", True)):
        with _provided(stranger.stage, is_local=is_local):
            stranger.open("/sign-in")
            expect(stranger.main.get_by_role("link", name="Sign in with your company account")).to_be_visible()
            yield name, stranger.page
    email, house = "nobody@brightline.example", stranger.stage.building.house
    for _ in range(house.book.limits.sign_in_tries):
        sign_in_with_password(house, email=email, password="wrong", code="000000", origin=Origin(ip="192.0.2.7"))
    stranger.open("/sign-in")
    for label, text in (("Work e-mail", email), ("Password", "wrong"), ("One-time code", "000000")):
        stranger.page.get_by_label(label, exact=True).fill(text)
    stranger.press("Enter")
    expect(stranger.page.get_by_text("Too many attempts.")).to_be_visible()
    yield "sign-in-429", stranger.page


def _expect_failures(person: Navigator) -> None:
    """Forget what the browser says of statuses that are the very subject here, and of no other walk."""
    person.complaints.heard = [each for each in person.complaints.heard if not _FAILURE.search(each)]


@contextmanager
def _provided(stage: Stage, *, is_local: bool) -> Iterator[None]:
    """Let the door be that of a house with an identity provider, beside passwords or alone."""
    web: Web = stage.app.extensions["sallyport"]
    own = replace(web.options, oidc_enabled=True, local_passwords=is_local, demo_people=())
    stage.app.extensions["sallyport"] = replace(web, options=own)
    try:
        yield
    finally:
        stage.app.extensions["sallyport"] = web


def _ended(stage: Stage) -> Mapping[State, RequestId]:
    """Ask for endpoints, and let each request end in another way; what needs hours comes first."""
    asker, voter = _actor(stage, _ASKER), _actor(stage, _VOTER)
    late = [_asked(stage, asker, name) for name in ("late", "approved-late")]
    _vote(stage, voter, late[1], Verdict.APPROVE)
    stage.clock.pass_by(hours=6)
    end_overdue(stage.building.house)
    asker, voter = _actor(stage, _ASKER), _actor(stage, _VOTER)
    house = stage.building.house
    names = ("withdrawn", "rejected", "revoked", "failing")
    withdrawn, rejected, revoked, failing = (_asked(stage, asker, name) for name in names)
    assert isinstance(cancel_request(house, asker, request_id=withdrawn.id), Request)
    _vote(stage, voter, rejected, Verdict.REJECT, "The customer asked for the other address.")
    for each in (revoked, failing):
        _vote(stage, voter, each, Verdict.APPROVE)
    assert isinstance(revoke_request(house, voter, request_id=revoked.id, because="Their address moved."), Request)
    with patch(_APPLYING, side_effect=Fault("url", "This tenant has an endpoint with this address; change that one.")):
        assert isinstance(execute_request(house, asker, request_id=failing.id), Failed)
    return {
        State.CANCELLED: withdrawn.id,
        State.EXPIRED_PENDING: late[0].id,
        State.EXPIRED_APPROVED: late[1].id,
        State.FAILED: failing.id,
        State.REJECTED: rejected.id,
        State.REVOKED: revoked.id,
    }


def _actor(stage: Stage, who: str) -> Actor:
    """Return somebody of the demo as the use cases see them, the second factor fresh."""
    house = stage.building.house
    with house.store.read() as unit:
        member = unit.staff.by_email(stage.people[who].email)
    assert member is not None
    return Actor(
        staff=member.id, person=member.person, name=member.name, email=member.email, roles=member.roles,
        stepped_up_at=house.clock.now(), stepped_up_by=StepUpMethod.TOTP,
    )  # fmt: skip


def _asked(stage: Stage, asker: Actor, name: str) -> Request:
    house = stage.building.house
    tenant = find_tenant(house, slug=ACME).id
    open_lease(house, asker, tenant=tenant, reason=_REASON, minutes=None)  # refused where one is open
    answer = propose_action(
        house, asker, key=ActionKey("webhook.add_endpoint"), tenant=tenant,
        raw={"url": f"{stage.receiver.url}/{name}", "event_types": "*", "rate_per_s": "", "description": ""},
        reason=_REASON, mark=None, form_id=RequestId(house.ids.new("req")),
    )  # fmt: skip
    assert isinstance(answer, Waiting), answer
    return answer.request


def _vote(stage: Stage, voter: Actor, request: Request, verdict: Verdict, comment: str = "") -> None:
    house = stage.building.house
    read_request(house, voter, request_id=request.id)
    answer = vote_on_request(
        house, voter, request_id=request.id, digest=request.digest, verdict=verdict, comment=comment
    )
    assert isinstance(answer, Voted), answer


def _mishaps(person: Navigator) -> Iterator[Shown]:
    for status, fault in _FAULTS.items():
        with patch(_BROKEN, side_effect=fault):
            person.open("/freezes")
            yield f"mishap-{status}", person.page
    for status, name, text in ((413, "note", "x" * _TOO_LONG), (400, "csrf_token", "")):
        person.open("/account")
        with person.page.expect_navigation():
            person.page.evaluate(_SEND, [name, text])
        yield f"mishap-{status}", person.page
    person.open("/sign-out")
    yield "mishap-405", person.page
