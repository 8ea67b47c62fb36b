"""A service account signs in, keeps a session, and votes."""

from console.domain.requests import Verdict
from console.domain.staff import Actor, Role, StaffKind
from console.usecases.vote_on_request import vote_on_request
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V2.3.5", "V6.3.4")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Turn a lead's account into a service account, then use its session, its password and its seat."""
    asked = door.suspension_asked()
    lead = door.enter("support_lead_2")
    lead.get(f"/requests/{asked}")
    person = PEOPLE["support_lead_2"]
    door.sql("UPDATE staff SET kind = 'service' WHERE id = ?", person.id)
    living = door.attempts(401, "route.refused")
    living.post(lead, f"/requests/{asked}/votes", door.ballot(asked))
    stranger = door.cast.stranger()
    stranger.get("/sign-in")
    entering = door.attempts(401, "staff.sign_in_refused")
    code = door.cast.code("support_lead_2")
    form = {"email": person.email, "password": person.password, "code": code, "next": "/"}
    entering.post(stranger, "/sign-in", form)
    request = door.request(asked)
    actor = Actor(
        staff=person.id, person=request.requester_person, name=person.name, email=person.email,
        roles=frozenset({Role.SUPPORT_LEAD}), kind=StaffKind.SERVICE, stepped_up_at=door.cast.clock.now(),
    )  # fmt: skip
    voting = door.attempts("service_account", "request.vote_refused", code="service_account")
    voting.ask(
        "a vote by a service account",
        lambda: vote_on_request(
            door.cast.house, actor, request_id=request.id, digest=request.digest, verdict=Verdict.APPROVE
        ),
    )
    return living, entering, voting
