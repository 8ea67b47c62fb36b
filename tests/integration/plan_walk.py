"""Drives the product through one database after another, and takes down all that it asks them.

Walked are every page of the route table, every governed action to its end, the doors of product and customer, every
duty of the worker with every job that comes of it, and every kind of search. What the product reaches only on some turn
of an outage or of a race is called by name in plan_rest; a book of storage that nothing reaches fails the test.
"""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from console.adapters.demo.staff import demo_environ
from console.adapters.letter_sinks import LetterFolder
from console.adapters.notice_folder import NoticeFolder
from console.app.building import Building
from console.app.serving import duties_of
from console.domain.requests import State
from console.domain.search_terms import SearchTerms
from console.domain.tenancy import SearchKind
from console.domain.trust.links import LinkKind
from console.settings import load_settings
from console.usecases.start_house import start_house
from console.worker.process import run_once
from tests.integration.cast import PaperSigner, PaperSink
from tests.integration.plan_actions import walk_actions
from tests.integration.plan_recorder import Recorder
from tests.integration.plan_rest import walk_rest
from tests.web.cast import CODES, Browser, Cast, on_stage, peopled_url
from tests.web.customer_stage import DECIDES, TOKEN, trust
from tests.web.matrix import THIS, furnished, gated, lines, path_of, table
from tests.web.product_stage import Kit
from tests.web.product_stage import entered as inside_product
from tests.web.test_customer import link
from tests.web.test_every_page import NOT_SHOWN, OPEN_TO, crowd, entered
from tests.web.test_pages_break_glass import fired, inside, smashed, state
from tests.web.world import NORDWIND, TENANTS

# Clocks run out in between: of leases and of a day's slots, of a month's retention.
_LATER_H = (0, 48, 40 * 24)


@dataclass
class Tour:
    """The stages that were opened, and what was asked on them. Shape: `urls` in the order of opening."""

    engine: str
    folder: Path
    create: Callable[..., str]
    recorder: Recorder = field(default_factory=Recorder)
    casts: list[Cast] = field(default_factory=list)
    opened: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Return the address of the database with the most in it."""
        return self.casts[0].storage._settings.database_url

    def stage(self) -> Cast:
        """Open another stage and listen to it."""
        path = self.folder / f"{len(self.casts)}.db"
        cast = self.opened.enter_context(on_stage(peopled_url(self.engine, path, self.create)))
        self.opened.enter_context(self.recorder.listening(cast.storage.engines()))
        self.casts.append(cast)
        return cast

    def walk(self) -> None:
        """Go everywhere. Raises: AssertionError where the product does not let us."""
        first = self.stage()
        walk_pages(first)
        walk_search(first)
        walk_actions(self.stage)
        walk_doors(self.stage())
        for cast in self.casts:
            walk_duties(cast, self.folder)
        walk_rest(first)


def walk_pages(cast: Cast) -> None:
    """Open every page of the table as the first role that it is open to."""
    words, browsers, world = table(), dict[str, Browser](), furnished(cast)
    with cast.storage.bulk.write() as bulk:
        bulk.put(list(crowd()))
    for line in lines(cast.app, gated(cast.app)):
        if line.method != "GET" or line.name in NOT_SHOWN:
            continue
        role = next((role for role, word in words[line.name].items() if word in OPEN_TO), None)
        who = "support_agent_2" if role is None else role.value  # the owner of what the world names
        browser = browsers.get(who) or browsers.setdefault(who, entered(cast, who))
        assert browser.get(path_of(world, line)).status_code == 200, line.name


def walk_search(cast: Cast) -> None:
    """Search for each kind of thing."""
    for kind in SearchKind:
        cast.storage.fleet.search(SearchTerms(text=THIS, kinds=(kind,)), limit=50)


def walk_doors(cast: Cast) -> None:
    """Let the product and the customer call, and let an emergency break glass."""
    said = [*_product_calls(cast), *_customer_calls(cast)]
    assert set(said) == {200}, said
    asked = smashed(inside(cast))
    fired(cast)
    assert state(cast, asked) is State.EXECUTED


def _product_calls(cast: Cast) -> list[int]:
    """Act for a member from the hand-over to the end, with a second factor shown on the way."""
    browser, kit = cast.sign_in("support_agent"), Kit(cast)
    within = inside_product(cast, browser)
    at = datetime.now(UTC).isoformat()
    cast.clock.pass_by(seconds=90)
    assert kit.introspect(within.token, activity=True)["active"]
    report = {
        "id": f"rep-{secrets.token_hex(4)}", "sid": within.sid, "at": at, "method": "GET", "route": "/projects",
        "effect": "read", "outcome": "done", "status": 200,
    }  # fmt: skip
    event = {"id": "evt-1", "kind": "member.password_reset", "tenant": NORDWIND, "member": "nordwind-m2", "at": at}
    renewed = kit.renew(within.token).status_code
    cast.step_up(browser, "support_agent")
    reported = kit.call("/product/reports", document={"reports": [report, report]})
    told = kit.call("/product/events", document=event)
    return [renewed, reported.status_code, told.status_code, kit.revoke(within.token).status_code]


def _customer_calls(cast: Cast) -> list[int]:
    """Read and decide as a customer's administrator does by links, and a customer's program by tokens."""
    trust(cast, TENANTS[THIS])
    client = cast.stranger().client
    consent, policy, log = (link(cast), link(cast, LinkKind.POLICY, "0"), link(cast, LinkKind.LOG, "0"))
    rules = {"impersonation": "consent", "notify": "each"}
    reads, decides = ({"Authorization": f"Bearer {token}"} for token in (TOKEN, DECIDES))
    answers = [
        client.get(f"/customer/consents/{consent}"),
        client.post(f"/customer/consents/{consent}", data={"verdict": "approve"}),
        client.get(f"/customer/policy/{policy}"),
        client.post(f"/customer/policy/{policy}", data=rules),
        client.get(f"/customer/log/{log}"),
        client.get("/customer/access-log?after=0", headers=reads),
        client.get("/customer/api/policy", headers=decides),
        client.get("/customer/api/consents", headers=decides),
    ]
    return [answer.status_code for answer in answers]


def walk_duties(cast: Cast, folder: Path) -> None:
    """Run every duty of the worker, again and again while time passes."""
    building = Building(
        settings=load_settings(demo_environ(folder)),
        house=cast.house,
        storage=cast.storage,
        codes=CODES,
        notices=NoticeFolder(folder),
        letters=LetterFolder(folder),
        sequencer=cast.storage.sequencer(PaperSigner(), PaperSink()),
        fake_provider=None,
    )
    start_house(cast.house, settings_digest="of the walk")
    for hours in _LATER_H:
        cast.clock.pass_by(hours=hours)
        run_once(duties_of(building))
    assert building.sequencer.verify().is_sound
