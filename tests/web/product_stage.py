"""A product in front of the console: it calls as its kit does, and a browser of staff walks between the two."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from werkzeug.test import TestResponse

from console.domain.errors import OutsideError
from console.domain.ids import ActionKey, ImpersonationId, MemberId, ReasonCode, RequestId, SessionKey, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.imports import member_id_of
from console.domain.product_tokens import challenge_of
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.staff import Actor, Origin
from console.usecases.outcomes import Proposal, Ran
from console.usecases.propose_action import propose_action
from console.usecases.resume_session import actor_of
from tests.products import CLIENT_ID, CLIENT_SECRET
from tests.web.cast import PEOPLE, Browser, Cast, web_app
from tests.web.world import KESTREL, NORDWIND, TENANTS

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CODE_TYPE = "urn:sallyport:token-type:impersonation-code"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
START, WIDEN = ActionKey("impersonation.start"), ActionKey("impersonation.widen")
TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="ZD-48213")
STATE = "state-of-the-kit"
EXTERNAL = {"nordwind": NORDWIND, "kestrel": KESTREL}


def member(slug: str = "nordwind", number: int = 2) -> MemberId:
    """Return the id of a tenant's member."""
    return member_id_of(EXTERNAL[slug], f"{slug}-m{number}")


@dataclass
class Kit:
    """What the product's side does: it calls with its name and secret, and keeps a verifier per browser."""

    cast: Cast

    def call(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        document: object = None,
        client: tuple[str, str] | None = (CLIENT_ID, CLIENT_SECRET),
    ) -> TestResponse:
        """Call the console as the product does."""
        headers = {}
        if client is not None:
            headers["Authorization"] = "Basic " + b64encode(":".join(client).encode()).decode()
        sent: dict[str, Any] = {"data": dict(form or {})} if document is None else {"json": document}
        return self.cast.app.test_client().post(path, headers=headers, buffered=True, **sent)

    def exchange(self, code: str, verifier: str) -> TestResponse:
        """Exchange a code."""
        return self.call(
            "/product/token",
            {
                "grant_type": EXCHANGE,
                "subject_token": code,
                "subject_token_type": CODE_TYPE,
                "code_verifier": verifier,
            },
        )

    def renew(self, token: str) -> TestResponse:
        """Exchange a token for the next one."""
        return self.call(
            "/product/token", {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT_TYPE}
        )

    def introspect(self, token: str, *, activity: bool = False) -> dict[str, Any]:
        """Ask whether a token stands."""
        answer = self.call("/product/introspect", {"token": token, "activity": "1" if activity else "0"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def revoke(self, token: str) -> TestResponse:
        """Let whoever acts stop."""
        return self.call("/product/revoke", {"token": token})


@dataclass(frozen=True, slots=True)
class Entered:
    """An impersonation that has reached the product."""

    sid: ImpersonationId
    token: str


def actor(cast: Cast, who: str) -> Actor:
    """Return somebody as their newest browser makes them known."""
    with cast.house.store.read() as unit:
        found = unit.staff.get(PEOPLE[who].id)
        session = unit.sessions.live_of(PEOPLE[who].id, cast.clock.now())[0]
    assert found is not None
    return actor_of(found, session, Origin())


def ask_to_act(
    cast: Cast, who: str, *, slug: str = "nordwind", number: int = 2, minutes: int = 30, reason: Reason = TICKET
) -> Proposal:
    """Ask for an impersonation of a tenant that is open."""
    return propose_action(
        cast.house,
        actor(cast, who),
        key=START,
        tenant=TENANTS[slug],
        raw={"member": member(slug, number), "minutes": str(minutes)},
        reason=reason,
        mark=None,
        form_id=RequestId(cast.house.ids.new("req")),
    )


def begun(cast: Cast, who: str = "support_agent", **asked: Any) -> ImpersonationId:  # noqa: ANN401  of ask_to_act
    """Return the id of an impersonation that somebody has just begun."""
    answer = ask_to_act(cast, who, **asked)
    assert isinstance(answer, Ran), answer
    return ImpersonationId(str(answer.applied.made))


def hand_off_path(sid: str, verifier: str, *, state: str = STATE, client_id: str = CLIENT_ID) -> str:
    """Return where the product's way in sends a browser."""
    asked = {"client_id": client_id, "state": state, "code_challenge": challenge_of(verifier)}
    return f"/impersonations/{sid}/hand-off?{urlencode(asked)}"


def handed_over(browser: Browser, sid: str, verifier: str) -> str:
    """Press the button of the hand-over and return the code that the browser carries away."""
    page = browser.get(hand_off_path(sid, verifier))
    assert page.status_code == 200, page.text
    asked = {"client_id": CLIENT_ID, "state": STATE, "code_challenge": challenge_of(verifier)}
    answer = browser.post(f"/impersonations/{sid}/hand-off", asked)
    assert answer.status_code == 303, answer.text
    sent = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert sent["state"] == [STATE]
    return sent["code"][0]


def entered(cast: Cast, browser: Browser, who: str = "support_agent", **asked: Any) -> Entered:  # noqa: ANN401
    """Open the tenant, begin, hand over and exchange: the whole way into the product."""
    slug = asked.get("slug", "nordwind")
    assert cast.open_tenant(browser, slug).status_code == 303
    sid = begun(cast, who, **asked)
    verifier = secrets.token_urlsafe(48)
    answer = Kit(cast).exchange(handed_over(browser, sid, verifier), verifier)
    assert answer.status_code == 200, answer.text
    return Entered(sid, answer.get_json()["access_token"])


def impersonation_of(
    cast: Cast, who: str, *, session: SessionKey, slug: str, by: ImpersonationEnd | None = None
) -> ImpersonationId:
    """Store one of whoever holds a lease, on whichever tenant, running or ended already; return its id."""
    now = cast.clock.now()
    with cast.house.store.write() as unit:
        (lease, *_more) = unit.leases.open_of(PEOPLE[who].id)
        row = Impersonation(
            id=ImpersonationId(cast.house.ids.new("imp")),
            staff=lease.staff,
            session=session,
            lease=lease.id,
            tenant=TENANTS[slug],
            member=member(slug),
            mode=Mode.READ,
            reason=lease.reason,
            request=None,
            widened_by=None,
            started_at=now,
            last_used_at=now,
            not_after=now + timedelta(minutes=30),
            idle_minutes=10,
            ended_at=None if by is None else now,
            ended_by=by,
        )
        assert unit.impersonations.add(row)
    return row.id


class SilentTickets:
    """A ticket system that does not answer."""

    def verdict(self, *, kind: str, reference: str, tenant: TenantId) -> ReferenceVerdict:
        message = f"The ticket system does not answer about {kind} {reference} of {tenant}."
        raise OutsideError(message, permanent=False)


def rehoused(cast: Cast, **ports: Any) -> None:  # noqa: ANN401  fields of House
    """Put the cast behind a house with other ports."""
    cast.house = replace(cast.house, **ports)
    cast.app = web_app(cast.house)
