"""A desk at which a customer is asked and written to: a stage, its administrators, a clock and a post office."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.canonical import parse_canonical
from console.domain.errors import OutsideError
from console.domain.ids import ActionKey, MemberId, ReasonCode
from console.domain.imports import MemberRecord, member_id_of
from console.domain.reasons import Reason
from console.domain.staff import Origin
from console.domain.trust.consents import Consent, ConsentVerdict
from console.domain.trust.links import Link, LinkKind
from console.ports.customer_letters import Envelope
from console.ports.trail import EntryFilter
from console.usecases.decide_consent import (
    decide_by_link,
)
from console.usecases.deliver_letters import deliver_letters
from console.usecases.execute_request import execute_request
from console.usecases.outcomes import Ran, Waiting
from console.usecases.publish_accesses import publish_accesses
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.kill_world import sequencer_in
from tests.integration.stage import CONTRACT, Stage, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO

TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48213")


INCIDENT = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301")


ASK, WITHDRAW, POLICY, NOTE = (
    ActionKey(key) for key in ("consent.ask", "consent.withdraw", "access_policy.set", "tenant.add_note")
)


QUESTION = {
    "what": "See why your invoice of November shows two taxes.",
    "member": "",
    "mode": "read",
    "minutes": "20",
    "answer_hours": "48",
}


FROM = Origin(ip="192.0.2.9")


ADDRESS = "https://console.example"


OWNER, ADMIN, PLAIN = (member_id_of("acme", name) for name in ("boss", "admin", "plain"))


@dataclass
class Post:
    """A sink that keeps what it takes, and can be away; one address may be out of reach, for good or for now."""

    taken: list[Envelope] = field(default_factory=list)
    is_away: bool = False
    lost: str = ""
    is_lost_for_good: bool = True

    def send(self, envelope: Envelope) -> None:
        if envelope.to == self.lost:
            raise OutsideError("Nobody lives there.", permanent=self.is_lost_for_good)
        if self.is_away:
            raise OutsideError("The post office is closed.", permanent=False)
        self.taken.append(envelope)

    def links(self, path: str) -> list[str]:
        """Return the tokens of links in what was taken."""
        return re.findall(rf"{ADDRESS}/customer/{path}/(\S+)", "\n".join(each.text for each in self.taken))


@dataclass
class Desk:
    """A stage with administrators of the customer, a clock and a post office."""

    stage: Stage
    clock: HandClock
    folder: Path
    post: Post = field(default_factory=Post)

    def deliver(self) -> None:
        deliver_letters(self.stage.house, self.post, address=ADDRESS)

    def ask(self, **changed: str) -> Consent:
        """Ask the customer and return the question."""
        self.stage.open("support_agent", "acme", TICKET)
        answer = self.stage.ask("support_agent", "acme", ASK, {**QUESTION, **changed}, reason=TICKET)
        assert isinstance(answer, Ran), answer
        return self.consents()[0]

    def consents(self) -> list[Consent]:
        with self.stage.house.store.read() as unit:
            return list(unit.consents.of_tenant(tenant("acme"), limit=9))

    def link(self, consent: Consent, member: str = OWNER, **changed: object) -> str:
        """Return the link as the letter holds it, or one that is nearly it."""
        said: dict[str, object] = {
            "kind": LinkKind.CONSENT,
            "tenant": consent.tenant,
            "member": MemberId(member),
            "subject": consent.id,
            "until": consent.decide_by,
        }
        return Link(**{**said, **changed}).signed(self.stage.house.fingerprints.of)  # type: ignore[arg-type]

    def refused(self) -> list[str]:
        """Return why the customer was refused, each time, and that each refusal names the tenant."""
        with self.stage.house.store.read() as unit:
            found = unit.reader.page(EntryFilter(action="customer.refused"), before=None, limit=50)
        bodies = [parse_canonical(entry.body) for entry in reversed(found)]
        return [str(body["error"]) for body in bodies if isinstance(body, dict) and body["tenant"]]

    def answer(self, link: str, verdict: ConsentVerdict = ConsentVerdict.APPROVE) -> object:
        return decide_by_link(self.stage.house, link=link, verdict=verdict, origin=FROM)


SMALL = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Desk]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"])
        people = [
            MemberRecord(
                tenant="acme", external_id=name, name=name.title(), email=f"{name}@acme.example", phone=None,
                role=role, is_active=True, joined_at=LONG_AGO, last_seen_at=None,
            )
            for name, role in (("boss", "owner"), ("admin", "admin"), ("plain", "member"))
        ]  # fmt: skip
        with stage.storage.bulk.write() as bulk:
            bulk.put(people)
        yield Desk(stage, clock, tmp_path)


def token_of(desk: Desk, *, opens: str) -> str:
    desk.stage.open("support_lead", "acme", CONTRACT)
    raw = {"label": f"For {opens}", "opens": opens}
    asked = desk.stage.ask("support_lead", "acme", ActionKey("customer_token.make"), raw)
    assert isinstance(asked, Waiting), asked
    desk.stage.approve("support_lead_2", asked.request)
    ran = execute_request(desk.stage.house, desk.stage.actor("support_lead"), request_id=asked.request.id)
    assert isinstance(ran, Ran), ran
    return ran.applied.shown["Token"]


def policy_link(desk: Desk, version: int = 0) -> str:
    until = desk.clock.now() + timedelta(days=14)
    link = Link(kind=LinkKind.POLICY, tenant=tenant("acme"), member=MemberId(OWNER), subject=str(version), until=until)
    return link.signed(desk.stage.house.fingerprints.of)


def deeds(desk: Desk) -> None:
    desk.stage.open("support_agent", "acme", INCIDENT)
    assert isinstance(desk.stage.ask("support_agent", "acme", NOTE, {"text": "Called them."}, reason=INCIDENT), Ran)
    sequencer_in(desk.stage, desk.folder).run_once()
    while publish_accesses(desk.stage.house):
        pass
