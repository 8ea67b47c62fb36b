"""The drill for the day on which the identity provider is down: the way in that is left, and whom it wakes."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from console.adapters.oidc import OidcClient, OidcProvider
from console.app.building import opened_building
from console.domain.canonical import parse_canonical
from console.domain.decisions import Deny, DenyCode
from console.domain.errors import OutsideError, TrailUnavailableError
from console.domain.ids import StaffId
from console.domain.staff import Origin
from console.ports.outbox import Notice
from console.settings import load_settings
from console.usecases.deliver_notices import deliver_notices
from console.usecases.house import House
from console.usecases.sign_in import SignedIn, sign_in_with_identity, sign_in_with_password
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock, sqlite_url
from tests.integration.sending_world import settings_of
from tests.integration.stage import Stage, new_urls, opened_stage, rows, settle_in
from tests.web.cast import PEOPLE
from tests.web.test_door_identity import vouched

HERE = Origin(request_id="call_1", route="/sign-in", method="POST", ip="192.0.2.7", agent="a browser")
GUARDS = {PEOPLE[who].id for who in ("administrator", "administrator_2", "security_auditor")}
TOLD = "Noor Haddad signed in with an emergency password, past the identity provider"


@dataclass
class Pager:
    """Keeps what leaves the house."""

    sent: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock()) as opened:
        settle_in(opened, [])
        yield opened


@pytest.fixture
def silent_issuer() -> str:
    """Give an address at which nobody listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def enter(house: House, who: str) -> SignedIn | Deny:
    person = PEOPLE[who]
    code = person.code(house.clock.now())
    return sign_in_with_password(house, email=person.email, password=person.password, code=code, origin=HERE)


def unread(stage: Stage, staff: StaffId) -> list[Notice]:
    with stage.storage.store.read() as unit:
        return list(unit.outbox.unread(staff, limit=20))


def newest(stage: Stage, action: str) -> Any:  # noqa: ANN401  a body
    ((body,),) = rows(stage.url, "SELECT body FROM audit_event WHERE action = ? ORDER BY id DESC LIMIT 1", action)
    return parse_canonical(str(body).encode())


@pytest.mark.checklist("EAM-90")
def test_the_drill_of_an_issuer_that_is_down(stage: Stage, silent_issuer: str) -> None:
    # 1. the provider does not answer, and passwords are off: nobody comes in
    provider = OidcProvider(
        OidcClient(issuer=silent_issuer, client_id="sallyport", client_secret="s" * 20), clock=stage.house.clock
    )
    closed = replace(stage.house, identity=provider, local_passwords=False)
    with pytest.raises(OutsideError):
        provider.begin(redirect_uri="http://127.0.0.1:8000/sign-in/callback", max_age_s=None)
    refused = enter(closed, "support_agent")
    assert isinstance(refused, Deny)
    assert refused.code is DenyCode.SIGN_IN_REFUSED
    # 2. the operator sets local_passwords = "emergency": password and one-time code open the door
    emergency = replace(closed, local_passwords=True, emergency_passwords=True)
    entered = enter(emergency, "support_agent")
    assert isinstance(entered, SignedIn)
    # 3. at that moment all administrators and auditors know, and whoever the password belongs to
    for staff in GUARDS | {PEOPLE["support_agent"].id}:
        assert [(notice.sentence, notice.kind) for notice in unread(stage, staff)] == [(TOLD, "emergency_sign_in")]
    assert not unread(stage, PEOPLE["finance"].id)
    entry = newest(stage, "staff.sign_in")
    assert entry["facts"] == {"method": "password", "is_emergency": True, "told": len(GUARDS) + 1}
    # 4. it leaves the house with the next round
    pager = Pager()
    assert deliver_notices(emergency, pager) == len(GUARDS) + 1
    assert {notice.to for notice in pager.sent} == GUARDS | {PEOPLE["support_agent"].id}
    # 5. the provider is back, and passwords are off again
    assert isinstance(sign_in_with_identity(closed, claims=vouched(), origin=HERE), SignedIn)
    assert isinstance(enter(closed, "support_agent"), Deny)


def test_an_administrator_who_comes_in_so_is_told_once_and_so_are_the_others(stage: Stage) -> None:
    assert isinstance(enter(replace(stage.house, emergency_passwords=True), "administrator"), SignedIn)
    for staff in GUARDS:
        (notice,) = unread(stage, staff)
        assert notice.path == ("/account" if staff == PEOPLE["administrator"].id else "/staff")


def test_a_password_that_is_the_usual_way_in_wakes_nobody(stage: Stage) -> None:
    assert isinstance(enter(stage.house, "support_agent"), SignedIn)
    assert not any(unread(stage, staff) for staff in GUARDS)
    assert newest(stage, "staff.sign_in")["facts"] == {"method": "password"}


def test_a_sign_in_through_the_provider_wakes_nobody_during_an_emergency(stage: Stage) -> None:
    house = replace(stage.house, emergency_passwords=True)
    assert isinstance(sign_in_with_identity(house, claims=vouched(), origin=HERE), SignedIn)
    assert not any(unread(stage, staff) for staff in GUARDS)


def test_a_wrong_password_opens_nothing_and_wakes_nobody(stage: Stage) -> None:
    house = replace(stage.house, emergency_passwords=True)
    person = PEOPLE["support_agent"]
    wrong = sign_in_with_password(house, email=person.email, password="x" * 20, code="000000", origin=HERE)
    assert isinstance(wrong, Deny)
    assert not any(unread(stage, staff) for staff in GUARDS)


def test_nobody_comes_in_when_the_alarm_cannot_be_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise TrailUnavailableError("no notice can be kept")

    monkeypatch.setattr("console.usecases.notices.tell", broken)
    with pytest.raises(TrailUnavailableError):
        enter(replace(stage.house, emergency_passwords=True), "support_agent")
    assert stage.count("SELECT count(*) FROM staff_session") == 0


@pytest.mark.parametrize(("chosen", "alarms"), [("emergency", True), ("on", False)])
def test_a_house_is_built_to_alarm_as_the_settings_say(tmp_path: Path, chosen: str, *, alarms: bool) -> None:
    environ = settings_of(sqlite_url(tmp_path / "control.db"), tmp_path) | {"SALLYPORT_LOCAL_PASSWORDS": chosen}
    with opened_building(load_settings(environ)) as building:
        assert building.house.emergency_passwords is alarms
