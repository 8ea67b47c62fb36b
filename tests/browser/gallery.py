"""Every page of the console in walks, each shown in a browser: for the screenshots and for the tests that look."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import timedelta

from playwright.sync_api import Browser, expect

from tests.browser.gallery_acting import acting
from tests.browser.gallery_customer import customer
from tests.browser.gallery_endings import ending
from tests.browser.gallery_guard import guarding
from tests.browser.gallery_money import closing, reconciling
from tests.browser.navigator import Navigator
from tests.browser.shown import Shown, leave
from tests.browser.stage import ACME, LOCKED_OUT_INVOICE, Stage

LONGEST_NAME = "vereinigte-nordfriesische-deichbau-und-faehrgesellschaft"


def gallery(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Yield every page once; whoever looks may change size and theme, the next page sets both again."""
    for chapter in CHAPTERS.values():
        yield from chapter(browser, stage)


def _arriving(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show the door, what an agent finds and opens, and what is refused."""
    agent = Navigator.begin(browser, stage)
    yield from _door(agent)
    yield from _finding(agent)
    yield from _tenant(agent)
    yield from _refusals(agent)
    leave(agent)


def _changing(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show a change from the form to the trail."""
    agent, lead, auditor = (Navigator.begin(browser, stage) for _ in range(3))
    agent.sign_in("support_agent")
    agent.open(f"/tenants/{ACME}/lease")
    agent.page.get_by_label("Reference").fill("SUP-4711")
    agent.press("Enter")
    agent.arrive("Acme Robotics")
    waiting = yield from _asking(agent)
    yield from _approving(lead, waiting)
    yield from _afterwards(agent, waiting)
    auditor.sign_in("security_auditor")
    yield from _trail(auditor)
    for each in (agent, lead, auditor):
        leave(each)


def _ruling(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show what those see who look after staff, money and machines."""
    for who, pages in (("administrator", _staff), ("finance_lead_2", _nothing), ("on_call", _operations)):
        person = Navigator.begin(browser, stage)
        person.sign_in(who)
        yield from pages(person)
        leave(person)


def _door(agent: Navigator) -> Iterator[Shown]:
    agent.open("/sign-in")
    yield "sign-in", agent.page
    agent.page.get_by_label("Work e-mail").fill("nobody@brightline.example")
    agent.page.get_by_label("Password", exact=True).fill("wrong")
    agent.page.get_by_label("One-time code").fill("000000")
    agent.page.get_by_role("button", name="Sign in").first.click()
    expect(agent.page.locator(".notice--stop")).to_be_visible()
    yield "sign-in-refused", agent.page
    agent.sign_in("support_agent")
    yield "home-empty", agent.page


def _finding(agent: Navigator) -> Iterator[Shown]:
    for name, text in (
        ("search-nothing-typed", ""), ("search-names", "north"), ("search-exact-invoice", LOCKED_OUT_INVOICE),
        ("search-no-match", "no such tenant"),
    ):  # fmt: skip
        agent.open(f"/search?q={text}")
        yield name, agent.page
    agent.open("/tenants")
    yield "tenants-none-open", agent.page
    agent.open(f"/t/{ACME}/")
    yield "tenant-not-open", agent.page
    agent.open(f"/tenants/{ACME}/lease")
    yield "lease-form", agent.page
    agent.page.get_by_label("Reference").fill("whatever")
    agent.page.get_by_label("Minutes").fill("9000")
    agent.page.get_by_role("button", name="Open Acme Robotics").click()
    expect(agent.main.locator(".field__error").first).to_be_visible()
    yield "lease-form-errors", agent.page
    agent.page.get_by_label("Minutes").fill("")
    agent.page.get_by_label("Reference").fill("SUP-4711")
    agent.page.get_by_role("button", name="Open Acme Robotics").click()
    agent.arrive("Acme Robotics")


def _tenant(agent: Navigator) -> Iterator[Shown]:
    yield "tenant-overview-locked-out", agent.page
    for tab in ("members", "entitlements", "notes", "jobs", "entries"):
        agent.open(f"/t/{ACME}/{tab}")
        yield f"tenant-{tab}", agent.page
    agent.press("Control+k")
    expect(agent.page.locator("dialog[open]")).to_be_visible()
    yield "palette", agent.page
    agent.type("north")
    expect(agent.page.get_by_role("option", name=re.compile("Northwind")).first).to_be_visible()
    yield "palette-results", agent.page
    agent.press("Escape")
    agent.open("/palette?q=acme")
    yield "palette-without-script", agent.page
    agent.open(f"/t/{ACME}/members")
    agent.press("?")
    expect(agent.page.locator("dialog[open]")).to_be_visible()
    yield "keys", agent.page
    agent.press("Escape")
    agent.main.get_by_role("link", name="Reveal the e-mail address of Lukas Müller").click()
    agent.arrive("Reveal a masked field")
    yield "reveal-form", agent.page
    agent.press("Enter")
    agent.arrive("Revealed to you")
    yield "revealed", agent.page


def _asking(agent: Navigator) -> Generator[Shown, None, list[str]]:
    """Show the four steps, and return two requests of which the second makes the first stale."""
    agent.open(f"/t/{ACME}/actions/entitlement.override?feature=seats")
    yield "action-what", agent.page
    agent.main.get_by_label("New value").fill("fifty")
    agent.main.get_by_role("button", name="Preview", exact=True).click()
    expect(agent.main.locator(".field__error").first).to_be_visible()
    yield "action-errors", agent.page
    agent.open(override(agent.stage, "seats", 100_000))
    _because(agent, "CTR-2026-0117", is_refused=True)
    yield "action-refused", agent.page
    agent.open(f"/t/{ACME}/actions/tenant.add_note")
    yield "action-note", agent.page
    requests: list[str] = []
    for value in (50, 60):
        agent.open(override(agent.stage, "seats", value))
        expect(agent.main.locator(".diff__after").first).to_be_visible()
        if not requests:
            yield "action-preview", agent.page
        _because(agent, f"CTR-2026-{value}", is_refused=False)
        requests.append(agent.page.url)
    yield "request-waiting-own", agent.page
    return requests


def override(stage: Stage, feature: str, value: int) -> str:
    """Return the address at which an override of Acme is previewed at once."""
    until = (stage.clock.now() + timedelta(days=60)).strftime("%Y-%m-%d")
    return f"/t/{ACME}/actions/entitlement.override?feature={feature}&value={value}&until={until}"


def _because(agent: Navigator, contract: str, *, is_refused: bool) -> None:
    agent.main.get_by_role("radio", name="Contract change").check()
    agent.main.get_by_label("Reference").fill(contract)
    if is_refused:
        agent.main.get_by_role("button", name="Preview again").click()
        expect(agent.main.locator(".notice--stop")).to_be_visible()
        return
    agent.press("Enter")
    agent.arrive(re.compile("→"))


def _approving(lead: Navigator, requests: list[str]) -> Iterator[Shown]:
    lead.sign_in("finance_lead")
    yield "home-waiting", lead.page
    lead.open("/requests")
    yield "inbox-waiting", lead.page
    lead.page.goto(requests[0])
    yield "request-to-approve", lead.page
    lead.stage.clock.pass_by(minutes=11)
    lead.page.goto(requests[1])
    expect(lead.main.get_by_label("One-time code")).to_be_visible()
    yield "request-to-approve-with-code", lead.page
    lead.open("/step-up?next=/requests")
    yield "step-up", lead.page
    lead.page.get_by_label("One-time code").fill(lead.stage.code("finance_lead"))
    lead.press("Enter")
    lead.arrive("Requests")
    for address, state in zip(reversed(requests), ("executed", "stale"), strict=True):
        lead.page.goto(address)
        lead.main.get_by_role("button", name="Approve").click()
        expect(lead.main.get_by_role("button", name="Approve")).to_have_count(0)
        yield f"request-{state}", lead.page
    for tab in ("mine", "all"):
        lead.open(f"/requests?tab={tab}")
        yield f"inbox-{tab}", lead.page


def _afterwards(agent: Navigator, requests: list[str]) -> Iterator[Shown]:
    agent.page.goto(requests[0])
    yield "request-stale-own", agent.page
    agent.page.goto(f"{requests[0]}/revision")
    yield "request-revision", agent.page
    agent.open("/")
    yield "home-agent", agent.page
    agent.open(f"/t/{ACME}/entitlements")
    yield "tenant-entitlements-overridden", agent.page
    agent.open("/account")
    yield "account", agent.page
    agent.page.get_by_role("button", name=re.compile("account, step-up and theme")).click()
    yield "account-menu", agent.page


def _refusals(agent: Navigator) -> Iterator[Shown]:
    agent.open("/nowhere")
    yield "not-found", agent.page
    agent.open("/t/no-such-tenant/")
    yield "tenant-unknown", agent.page
    agent.open("/trail")
    yield "refused-role", agent.page
    agent.open(f"/tenants/{LONGEST_NAME}/lease")
    agent.page.get_by_label("Reference").fill("SUP-4720")
    agent.press("Enter")
    expect(agent.page.locator(".tenantbar")).to_be_visible()
    yield "tenant-longest-name", agent.page
    agent.open(f"/t/{LONGEST_NAME}/notes")
    yield "tenant-no-notes", agent.page
    agent.open("/tenants")
    yield "tenants-open", agent.page


def _trail(auditor: Navigator) -> Iterator[Shown]:
    yield "home-auditor", auditor.page
    auditor.open("/trail")
    yield "trail", auditor.page
    auditor.open("/trail?action=request.vote&outcome=success")
    auditor.main.get_by_text("Filter", exact=True).click()
    yield "trail-filtered", auditor.page
    auditor.open("/trail?action=action.executed")
    auditor.main.get_by_role("link", name=re.compile("ran “Override")).first.click()
    expect(auditor.main.get_by_role("heading", name="Canonical body")).to_be_visible()
    yield "entry", auditor.page
    auditor.open("/trail?outcome=sideways")
    yield "trail-errors", auditor.page


def _staff(administrator: Navigator) -> Iterator[Shown]:
    yield "home-administrator", administrator.page
    administrator.open("/staff")
    yield "staff", administrator.page
    administrator.open("/policy")
    yield "policy", administrator.page
    administrator.open("/policy?area=webhooks")
    yield "policy-webhooks", administrator.page
    administrator.open("/actions/staff.add")
    yield "action-control", administrator.page


def _replaying(browser: Browser, stage: Stage) -> Iterator[Shown]:
    """Show a tenant's webhooks, and a replay from its plan to its report."""
    engineer, lead = Navigator.begin(browser, stage), Navigator.begin(browser, stage)
    engineer.sign_in("engineer")
    open_in_incident(engineer)
    yield from _webhooks(engineer)
    address = yield from _planning(engineer)
    lead.sign_in("support_lead")
    lead.page.goto(engineer.page.url)
    yield "request-replay-to-approve", lead.page
    lead.main.get_by_role("button", name="Approve").click()
    expect(lead.main.get_by_role("button", name="Approve")).to_have_count(0)
    engineer.page.goto(address)
    expect(engineer.main.get_by_text("a second").last).to_be_visible()
    yield "replay-running", engineer.page
    engineer.main.get_by_role("link", name="Pause replay").click()
    engineer.main.get_by_role("button", name="Pause replay").click()
    engineer.page.goto(address)
    yield "replay-paused", engineer.page
    engineer.main.get_by_role("link", name="Cancel replay").click()
    engineer.main.get_by_role("button", name="Cancel replay").click()
    engineer.page.goto(address)
    yield "replay-cancelled", engineer.page
    engineer.page.goto(f"{address}/list?state=skipped")
    yield "replay-list", engineer.page
    engineer.page.goto(f"{address}/list?state=sent")
    engineer.main.get_by_role("row").nth(1).get_by_role("link").first.click()
    engineer.main.get_by_text("Headers and answer").first.click()
    yield "webhooks-delivery-resent", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/replays")
    yield "replays", engineer.page
    for each in (engineer, lead):
        leave(each)


def open_in_incident(who: Navigator) -> None:
    """Open Acme because of an incident."""
    who.open(f"/tenants/{ACME}/lease")
    who.page.get_by_role("radio", name="Incident response").check()
    who.page.get_by_label("Reference").fill("INC-2301")
    who.press("Enter")
    who.arrive("Acme Robotics")


def _webhooks(engineer: Navigator) -> Iterator[Shown]:
    engineer.open(f"/t/{ACME}/webhooks")
    yield "webhooks", engineer.page
    engineer.main.get_by_role("link", name="/acme/orders").click()
    expect(engineer.main.get_by_role("heading", name="Signing keys")).to_be_visible()
    yield "webhooks-endpoint", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/deliveries")
    yield "webhooks-deliveries", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/deliveries?state=exhausted&since=yesterday")
    yield "webhooks-deliveries-errors", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/deliveries?state=exhausted")
    engineer.main.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(engineer.main.get_by_role("heading", name="Attempts")).to_be_visible()
    yield "webhooks-delivery", engineer.page
    engineer.main.get_by_role("link", name="Resend").click()
    engineer.arrive("Resend a delivery")
    yield "action-resend", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/dead-letters")
    yield "webhooks-dead-letters", engineer.page


def _planning(engineer: Navigator) -> Generator[Shown, None, str]:
    """Show the plan and the asking; return the address of the replay, the browser standing on the request."""
    engineer.open(f"/t/{ACME}/webhooks/replays")
    yield "replays-none", engineer.page
    engineer.open(f"/t/{ACME}/webhooks/dead-letters")
    engineer.main.get_by_role("link", name="Plan a replay of all").first.click()
    engineer.arrive("Plan a bulk replay")
    expect(engineer.main.locator(".diff__after").first).to_be_visible()
    yield "action-plan-replay", engineer.page
    engineer.press("Enter")
    engineer.arrive(re.compile("^Replay of"))
    yield "replay-planned", engineer.page
    address = engineer.page.url
    engineer.main.get_by_role("link", name="Run replay").click()
    engineer.arrive("Run a bulk replay")
    yield "action-run-replay", engineer.page
    engineer.press("Enter")
    engineer.arrive(re.compile("^Replay .* in bulk$"))
    return address


def _operations(person: Navigator) -> Iterator[Shown]:
    for name, path in (
        ("operations", ""), ("operations-jobs", "/jobs"), ("operations-jobs-errors", "/jobs?state=odd"),
        ("operations-inbox", "/inbox"), ("operations-inbox-quarantined", "/inbox?state=quarantined"),
    ):  # fmt: skip
        person.open(f"/operations{path}")
        yield name, person.page
    person.main.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(person.main.get_by_role("heading", name="What it said, masked")).to_be_visible()
    yield "operations-event", person.page
    person.open("/operations/jobs?state=dead")
    person.main.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(person.main.get_by_role("heading", name="Arguments")).to_be_visible()
    yield "operations-job", person.page
    person.main.get_by_role("link", name="Retry").click()
    person.arrive("Retry jobs")
    yield "action-retry-job", person.page


def _nothing(person: Navigator) -> Iterator[Shown]:
    person.open("/requests?tab=mine")
    yield "inbox-empty", person.page


# Each needs nothing that another has done, so that they can be shown at once, each on a stage of its own.
CHAPTERS: Mapping[str, Callable[[Browser, Stage], Iterator[Shown]]] = {
    "acting": acting,
    "arriving": _arriving,
    "changing": _changing,
    "closing": closing,
    "customer": customer,
    "ending": ending,
    "guarding": guarding,
    "reconciling": reconciling,
    "replaying": _replaying,
    "ruling": _ruling,
}
