"""Who measures: staff signed in by the real use cases, tenants opened, requests waiting."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from flask import Flask

from console.app.building import Building, opened_building
from console.app.serving import app_of
from console.domain.ids import ActionKey, ReasonCode, RequestId, TenantId
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import Actor, Origin
from console.ports.staff import Credentials
from console.usecases.open_lease import open_lease
from console.usecases.outcomes import Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resume_session import Resumed, resume_session
from console.web.sessions import COOKIE
from tests.bench.callers import Inside, Loopback
from tests.bench.finance import fill
from tests.bench.rows import Rows
from tests.bench.world import LARGEST, World

LARGE = "northwind-trading"
AGENT, LEAD, AUDITOR = "support_agent", "finance_lead", "security_auditor"
WAITING = 20
_TOKEN = re.compile(r'name="csrf-token" content="([^"]*)"')
_ORIGIN = Origin(request_id="bench", route="bench", method="GET", ip="127.0.0.1", agent="bench")
_SUPPORT = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48213")
CONTRACT = Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-0117")

_ENDED = (
    "UPDATE plane_entitlement_override SET ended_at = :now "
    "WHERE tenant_id = :tenant AND feature = 'seats' AND ended_at IS NULL"
)


class StageError(RuntimeError):
    """The console refused what a benchmark needs; the sentence says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Somebody signed in: the actor, and the cookie that speaks for them."""

    actor: Actor
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A building on the measured data, its app inside this process, and people signed in."""

    world: World
    building: Building
    app: Flask
    rows: Rows
    signed: dict[str, Signed]

    def inside(self, who: str) -> Inside:
        """Return a browser inside this process."""
        return Inside(self.app, self.signed[who].cookie)

    def over(self, port: int, who: str) -> Loopback:
        """Return a browser on a served console."""
        return Loopback(port, self.signed[who].cookie)

    def tenant(self, slug: str) -> TenantId:
        """Return the id behind a slug."""
        return TenantId(self.rows.all("SELECT id FROM directory_tenant WHERE slug = :slug", {"slug": slug})[0][0])

    def rest(self) -> None:
        """Forget how many searches there were: the limit of 60 a minute is for people."""
        self.rows.write([("DELETE FROM throttle_event", {})])

    def forget(self) -> None:
        """End the seats that earlier cycles gave: every request asks for a raise, on which the finance lead votes."""
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        self.rows.write([(_ENDED, {"now": now, "tenant": self.tenant(LARGEST)})])


@contextmanager
def opened_stage(world: World) -> Iterator[Stage]:
    """Give everything that page measurements need."""
    rows = world.rows()
    with opened_building(world.settings) as building:
        app = app_of(building)
        signed = {who: _sign_in(building, app, world, who) for who in (AGENT, LEAD, AUDITOR)}
        stage = Stage(world=world, building=building, app=app, rows=rows, signed=signed)
        for slug in (LARGEST, LARGE):
            _open(building, signed[AGENT].actor, stage.tenant(slug), _SUPPORT)
        _open(building, signed[LEAD].actor, stage.tenant(LARGEST), CONTRACT)
        _follow(building, rows)
        stage.forget()
        _fill_inbox(building, signed[AGENT].actor, stage)
        fill(building.storage, rows, staff=signed[LEAD].actor.staff)
        yield stage
    rows.close()


def _follow(building: Building, rows: Rows) -> None:
    """Let those who follow the trail be at its end, as they are where it was written entry by entry."""
    last = rows.all("SELECT max(seq) FROM audit_seq", {})[0][0]
    with building.house.store.write() as unit:
        if (watched := unit.signals.watched()) < last:
            unit.signals.advance(watched, last)
        if (seen := unit.disclosures.position()) < last:
            unit.disclosures.move_on(seen, last)


def _sign_in(building: Building, app: Flask, world: World, who: str) -> Signed:
    """Sign in through the page: the browser's session holds what the page puts there."""
    person = world.people[who]
    _renew_code(building, person.email)
    browser = app.test_client()
    token = _TOKEN.search(browser.get("/sign-in").text)
    form = {
        "email": person.email,
        "password": person.password,
        "code": pyotp.TOTP(person.totp_secret).at(datetime.now(UTC)),
        "next": "/account",
        "csrf_token": token[1] if token else "",
    }
    answer = browser.post("/sign-in", data=form)
    cookie = browser.get_cookie(COOKIE)
    resumed = resume_session(building.house, token=cookie.value if cookie else "", origin=_ORIGIN, is_activity=True)
    if cookie is None or not isinstance(resumed, Resumed):
        raise StageError(f"{person.email} was not let in: {answer.text}")
    return Signed(actor=resumed.actor, cookie=f"{COOKIE}={cookie.value}")


def _renew_code(building: Building, email: str) -> None:
    """Forget the last one-time code: it is good once, and runs follow each other faster than codes change."""
    with building.house.store.write() as unit:
        member = unit.staff.by_email(email)
        known = None if member is None else unit.staff.credentials(member.id)
        if member is None or known is None:
            raise StageError(f"{email} is not there, or has no password.")
        fresh = Credentials(password_hash=known.password_hash, totp_sealed=known.totp_sealed, totp_last_step=-1)
        unit.staff.set_credentials(member.id, fresh)


def _open(building: Building, actor: Actor, tenant: TenantId, reason: Reason) -> None:
    answer = open_lease(building.house, actor, tenant=tenant, reason=reason, minutes=None)
    if not isinstance(answer, Lease):
        raise StageError(f"The tenant was not opened: {answer}")


def _fill_inbox(building: Building, actor: Actor, stage: Stage) -> None:
    soon = int((datetime.now(UTC) + timedelta(minutes=30)).timestamp() * 1_000_000)
    waiting = stage.rows.all(
        "SELECT count(*) FROM request WHERE state = 'pending' AND approve_by > :soon", {"soon": soon}
    )[0][0]
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    for number in range(WAITING - waiting):
        answer = propose_action(
            building.house,
            actor,
            key=ActionKey("entitlement.override"),
            tenant=stage.tenant(LARGEST),
            raw={"feature": "seats", "value": str(30 + number), "until": until},
            reason=CONTRACT,
            mark=None,
            form_id=RequestId(building.house.ids.new("req")),
        )
        if not isinstance(answer, Waiting):
            raise StageError(f"The request was not filed: {answer}")
