"""Staff act for a member across both servers: real tokens, a real browser, the banner on everything, and every end."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from console.domain.ids import ImpersonationId
from tests.browser.looking import HOME_WIDTH, NARROW_WIDTH, overflowing, show_as, violations
from tests.browser.navigator import Navigator
from tests.browser.product import Both, both_raised
from tests.browser.screens import FOLDER
from tests.browser.stage import ACME, World

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def both(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with both_raised(world, tmp_path_factory.mktemp("both")) as both:
        yield both


@pytest.fixture
def agents(both: Both, chromium: Browser) -> Iterator[list[Navigator]]:
    came: list[Navigator] = []
    yield came
    for person in came:
        person.end()


def signed_in(both: Both, chromium: Browser, came: list[Navigator], who: str) -> Navigator:
    person = Navigator.begin(chromium, both.console)
    came.append(person)
    person.sign_in(who)
    return person


def begin(agent: Navigator, *, ticket: str, member: str) -> None:
    """Open Acme with a ticket and start to act for a member; be on the page of one's own impersonation."""
    agent.open(f"/tenants/{ACME}/lease")
    agent.arrive("Open Acme Robotics")
    expect(agent.page.get_by_label("Reference")).to_be_focused()
    agent.type(ticket)
    agent.press("Enter")
    agent.arrive("Acme Robotics")
    agent.enter(agent.page.get_by_role("link", name="Members", exact=True))
    agent.arrive("Members")
    agent.enter(agent.main.get_by_role("link", name=f"Act as {member}", exact=True).first)
    agent.arrive("Act as a member")
    agent.enter(agent.main.get_by_role("button", name="Act as this member"))
    agent.arrive("You act for a member of Acme Robotics")


def cross(agent: Navigator) -> None:
    """Go over to the product: the hand-off page says whom one becomes, its button carries the code."""
    agent.enter(agent.main.get_by_role("link", name="Enter the product"))
    agent.arrive(re.compile(r"^Go on as "))
    agent.enter(agent.main.get_by_role("button", name="Go to the product"))
    agent.arrive("Acme Robotics")
    expect(banner(agent.page)).to_be_visible()


def banner(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Impersonation")


def told(both: Both, own: str) -> set[str]:
    """Return the requests that the console was told of."""
    assert both.kit.reporter.flush(within_s=20)
    with both.console.building.house.store.read() as unit:
        found = unit.product_reports.of(ImpersonationId(own.rpartition("/")[2]), before=None, limit=200)
    return {f"{each.method} {each.route} {each.outcome} {each.status}" for each in found}


def looked_at(page: Page, name: str) -> None:
    """Take a picture, wide and narrow, and demand that axe-core and the narrow screen find nothing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for width in (NARROW_WIDTH, HOME_WIDTH):
        show_as(page, theme="light", width=width)
        page.screenshot(path=FOLDER / f"product-{name}.light.{width}.png", full_page=True, animations="disabled")
        assert overflowing(page) == [], name
    assert violations(page) == [], name


def test_it_acts_for_a_member_shows_it_everywhere_and_leaves(
    both: Both, chromium: Browser, agents: list[Navigator]
) -> None:
    agent = signed_in(both, chromium, agents, "support_agent")
    page = agent.page
    begin(agent, ticket="SUP-4711", member="Siobhán O'Dwyer")
    console_page = page.url
    cross(agent)
    expect(banner(page)).to_contain_text("You act as Siobhán O'Dwyer, Acme Robotics")
    expect(banner(page)).to_contain_text("Reading only")
    expect(banner(page)).to_contain_text("CUSTOMER_SUPPORT SUP-4711")
    expect(banner(page).locator("[data-countdown]")).to_have_text(re.compile(r"^\(idle: (9|10) min left\)$"))
    assert page.title().startswith("● ")
    looked_at(page, "banner")

    # A fragment by the real htmx: the rows change, the banner stays, alone and alive.
    agent.enter(page.get_by_role("link", name="Projects", exact=True))
    expect(page.get_by_role("row")).to_have_count(7)
    agent.fill("Words", "roof")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(banner(page)).to_have_count(1)
    expect(banner(page).locator("[data-countdown]")).to_have_text(re.compile("left"))

    # Nothing is written, and the refusal is a page that says why, with the banner.
    agent.enter(page.get_by_role("link", name="Roof inspection"))
    agent.enter(page.get_by_role("button", name="Rename project"))
    agent.arrive("You may only read")
    expect(banner(page)).to_be_visible()
    looked_at(page, "refusal")
    page.go_back()
    agent.enter(page.get_by_role("link", name="Close this project"))
    agent.arrive("You may only read")
    page.goto(f"{both.address}/settings")
    agent.enter(page.get_by_role("button", name="Switch on"))
    agent.arrive("Staff may never do this for a member")
    page.goto(f"{both.address}/nowhere")
    expect(banner(page)).to_be_visible()

    # A file and JSON carry it in their headers.
    for path in ("/billing/invoices.csv", "/api/members"):
        answer = agent.context.request.get(f"{both.address}{path}")
        assert answer.headers["x-acting-staff"].startswith("staff_")
        assert answer.headers["cache-control"] == "no-store"

    page.goto(f"{both.address}/members")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    agent.enter(banner(page).get_by_role("button", name="Leave"))
    agent.arrive("You are yourself again")
    page.go_back()
    expect(page.get_by_role("row")).to_have_count(0)
    page.goto(f"{both.address}/members")
    agent.arrive("Sign in to Fieldnote")
    page.goto(console_page)
    agent.arrive("You acted for a member of Acme Robotics")
    assert told(both, console_page) >= {
        "GET / done 200", "GET /projects done 200", "GET /projects/<key> done 200", "GET /(none) done 404",
        "POST /projects/<key>/name refused 403", "GET /projects/<key>/close refused 403",
        "POST /settings/mfa refused 403", "GET /billing/invoices.csv done 200", "GET /api/members done 200",
    }  # fmt: skip


def test_it_writes_after_a_lead_agreed(both: Both, chromium: Browser, agents: list[Navigator]) -> None:
    agent = signed_in(both, chromium, agents, "support_agent_2")
    begin(agent, ticket="SUP-4712", member="王小明")
    own = agent.page.url
    agent.enter(agent.main.get_by_role("link", name="Write in a member's name"))
    agent.arrive("Write in a member's name")
    expect(agent.main).to_contain_text("as for your lease")
    agent.enter(agent.main.get_by_role("button", name=re.compile("^Ask")).last)
    agent.arrive_at_request()
    lead = signed_in(both, chromium, agents, "support_lead")
    lead.open(agent.page.url)
    lead.enter(lead.main.get_by_role("button", name="Approve"))
    expect(lead.main.locator('.stateline__node[data-status="done"]', has_text="Executed")).to_be_visible()
    agent.open(own)
    agent.arrive("You act for a member of Acme Robotics")
    cross(agent)
    expect(banner(agent.page)).to_contain_text("Reading and writing")
    agent.page.goto(f"{both.address}/projects")
    agent.page.get_by_label("New project").fill("Written for the customer")
    agent.enter(agent.page.get_by_role("button", name="Add project"))
    expect(agent.page.get_by_role("link", name="Written for the customer")).to_be_visible()
    looked_at(agent.page, "writing")
    agent.page.goto(f"{both.address}/settings")
    agent.page.get_by_label("Name").fill("A key for myself")
    agent.enter(agent.page.get_by_role("button", name="Create key"))
    agent.arrive("Staff may never do this for a member")


@pytest.mark.parametrize(("who", "end"), [("support_lead", "button"), ("support_lead_2", "sign_out")])
def test_it_is_over_at_the_next_request(
    both: Both, chromium: Browser, agents: list[Navigator], who: str, end: str
) -> None:
    agent = signed_in(both, chromium, agents, who)
    begin(agent, ticket="SUP-4713", member="Zoë 🦀 Krüger")
    own = agent.page.url
    cross(agent)
    other = agent.context.new_page()
    other.goto(own)
    if end == "button":
        other.get_by_role("button", name="Stop impersonating").first.click()
        expect(other.get_by_role("heading", level=1)).to_have_text(re.compile("You acted for a member"))
    else:
        other.locator("[popovertarget=person]").click()
        other.get_by_role("button", name="Sign out").click()
        other.wait_for_url(re.compile("/sign-in"))
    ended, waited = time.monotonic(), 0.0
    while agent.context.request.get(f"{both.address}/api/members").status == 200:
        waited = time.monotonic() - ended
        assert waited < 5
    agent.page.goto(f"{both.address}/members")
    expect(agent.heading).to_have_text(re.compile("^(This impersonation has ended|Sign in to Fieldnote)$"))
    expect(agent.page.get_by_role("row")).to_have_count(0)
