"""The pages of acting for a member: from the members' list to the hand-over, the banner, and the tenant's list."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from playwright.sync_api import Browser, expect

from console.domain.ids import ImpersonationId
from console.domain.product_reports import Report, ReportedEffect, ReportedOutcome
from console.domain.product_tokens import challenge_of
from console.domain.staff import Origin
from console.usecases.hear_product import hear_reports
from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import ACME, Stage

_VERIFIER = "of-the-gallery-0123456789-0123456789-0123456789"
_CALLS = (
    ("GET", "/projects", "read", "done", 200, None),
    ("GET", "/projects/<id>/activity", "read", "done", 200, None),
    ("POST", "/projects/search", "read", "done", 200, None),
    ("POST", "/projects/<id>/archive", "write", "refused", 403, "read_only"),
    ("POST", "/settings/email", "never", "refused", 403, "email.change"),
)


def acting(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show the whole way of an impersonation, in the order in which an agent meets its pages."""
    agent = Navigator.begin(browser, stage)
    agent.sign_in("support_agent")
    agent.open(f"/tenants/{ACME}/lease")
    agent.page.get_by_label("Reference").fill("SUP-4711")
    agent.press("Enter")
    agent.arrive("Acme Robotics")
    agent.open(f"/t/{ACME}/impersonations")
    yield "impersonations-none", agent.page
    agent.open(f"/t/{ACME}/members")
    yield "impersonation-members", agent.page
    agent.main.get_by_role("link", name=re.compile("^Act as")).first.click()
    agent.arrive("Act as a member")
    expect(agent.main.locator(".diff__after").first).to_be_visible()
    yield "action-impersonate", agent.page
    agent.press("Enter")
    expect(agent.page.locator(".banner--impersonation")).to_be_visible()
    yield "impersonation-begun", agent.page
    agent.page.locator(".banner--impersonation").get_by_role("link").click()
    agent.arrive(re.compile("^You act for a member"))
    yield "impersonation-own", agent.page
    sid = agent.page.url.rpartition("/")[2]
    yield from _at_the_hand_off(agent, sid)
    _tell(stage, sid)
    for name, path in (
        ("impersonation-banner-home", "/"),
        ("impersonation-banner-tenant", f"/t/{ACME}/"),
        ("impersonations", f"/t/{ACME}/impersonations"),
        ("impersonation-requests", f"/t/{ACME}/impersonations/{sid}"),
        ("impersonation-entries", f"/t/{ACME}/entries"),
    ):
        agent.open(path)
        yield name, agent.page
    agent.open(f"/t/{ACME}/actions/impersonation.widen?impersonation={sid}")
    yield "action-widen", agent.page
    agent.page.locator(".banner--impersonation").get_by_role("button", name="Stop impersonating").click()
    agent.arrive(re.compile("^You acted for a member"))
    yield "impersonation-over", agent.page
    leave(agent)


def _at_the_hand_off(agent: Navigator, sid: str) -> Iterator[Shown]:
    product = agent.stage.building.house.product
    assert product is not None
    asked = {"client_id": product.client_id, "state": "of-the-gallery", "code_challenge": challenge_of(_VERIFIER)}
    agent.open(f"/impersonations/{sid}/hand-off?{urlencode(asked)}")
    agent.arrive(re.compile("^Go on as"))
    yield "impersonation-hand-off", agent.page
    agent.open(f"/impersonations/{sid}/hand-off")
    expect(agent.page.get_by_text("This is not how the product asks")).to_be_visible()
    yield "impersonation-hand-off-refused", agent.page


def _tell(stage: Stage, sid: str) -> None:
    """Let the product tell of some requests."""
    house = stage.building.house
    assert house.product is not None
    reports = [
        Report(
            id=f"gallery-{number}", sid=ImpersonationId(sid), at=stage.clock.now(), method=method, route=route,
            effect=ReportedEffect(effect), outcome=ReportedOutcome(outcome), status=status, code=code,
        )
        for number, (method, route, effect, outcome, status, code) in enumerate(_CALLS)
    ]  # fmt: skip
    hear_reports(house, house.product, reports=reports, origin=Origin())
