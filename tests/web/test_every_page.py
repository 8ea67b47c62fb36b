"""Every page of the route table: a bounded number of statements however much there is, and all of it without script."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from werkzeug.test import TestResponse

from console.domain.imports import DeliveryRecord, InvoiceRecord, MemberRecord, NoteRecord, Record
from tests.bench.counting import Counted, counted
from tests.databases import NOON
from tests.web.cast import Browser, Cast, on_stage
from tests.web.matrix import THIS, furnished, gated, lease, lines, path_of, table
from tests.web.world import LONG_AGO, NORDWIND

MOST_STATEMENTS, MOST_ALIKE, CROWD = 35, 8, 60
LARGEST_PAGE = 60_000
LARGER = {"/policy": 160_000}  # it holds every rule in words
OPEN_TO = frozenset({"yes", "lease"})
# What nobody finds without more than a lease: a way to the product, an identity provider, an own request that waits.
NOT_SHOWN = frozenset(
    {
        "`GET /impersonations/<impersonation>/hand-off`",
        "`GET /step-up/identity`",
        "`GET /requests/<request_id>/revision`",
    }
)
# Asked every second while somebody follows it: recorded when it begins, and then once in a while.
FOLLOWED = frozenset({"`GET /t/<slug>/webhooks/replays/<run>/progress`"})
VOID = frozenset({"input", "meta", "link", "br", "img", "hr", "col", "wbr"})


@dataclass(frozen=True)
class Page:
    """One page as somebody saw it who may, and what it asked the databases."""

    name: str
    path: str
    answer: TestResponse
    asked: Counted
    entries: tuple[str, ...]
    cookie: str

    @property
    def is_html(self) -> bool:
        """Return whether a person looks at it; streams, counters and files are for programs."""
        return self.answer.mimetype == "text/html"


def crowd() -> Iterator[Record]:
    """Return more of each thing that a page of a tenant lists than it shows at once."""
    for number in range(CROWD):
        yield MemberRecord(
            tenant=NORDWIND, external_id=f"crowd-{number}", name=f"Somebody {number}", email=f"c{number}@x.example",
            phone=None, role="member", is_active=True, joined_at=LONG_AGO, last_seen_at=NOON,
        )  # fmt: skip
        yield NoteRecord(tenant=NORDWIND, external_id=f"crowd-{number}", author="Lea", text="A note.", at=NOON)
        yield DeliveryRecord(
            tenant=NORDWIND, message=f"msg_crowd{number}", endpoint="main", event_type="invoice.paid",
            outcome="delivered", status_code=200, attempts=1, at=NOON,
        )  # fmt: skip
        yield InvoiceRecord(
            tenant=NORDWIND, number=f"INV-crowd-{number}", status="paid", provider_status="paid", amount_minor=1,
            currency="EUR", issued_at=LONG_AGO, due_at=NOON, paid_at=NOON, mirrored_at=NOON,
        )  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Page]:
    """Open every page of the table once, as the first role that it is open to, in a world of many of each."""
    words, browsers, found = table(), dict[str, Browser](), list[Page]()
    with on_stage(tmp_path_factory.mktemp("pages") / "pages.db") as cast:
        world = furnished(cast)
        with cast.storage.bulk.write() as bulk:
            bulk.put(list(crowd()))
        for line in lines(cast.app, gated(cast.app)):
            if line.method != "GET" or line.name in NOT_SHOWN:
                continue
            role = next((role for role, word in words[line.name].items() if word in OPEN_TO), None)
            who = "support_agent_2" if role is None else role.value  # the owner of what the world names
            browser = browsers.get(who) or browsers.setdefault(who, entered(cast, who))
            path = path_of(world, line)
            before = len(cast.entries())
            with counted(cast.storage.engines()) as asked:
                answer = browser.get(path)
            written = tuple(entry["action"] for entry in cast.entries()[before:])
            found.append(Page(line.name, path, answer, asked, written, browser.cookie("__Host-sallyport")))
    return found


def entered(cast: Cast, who: str) -> Browser:
    """Return the browser of somebody who has just signed in and holds a lease."""
    browser = cast.sign_in(who)
    lease(cast, who, THIS)
    return browser


def test_it_opens_every_page_of_the_table(pages: list[Page]) -> None:
    assert {page.name: page.answer.status_code for page in pages if page.answer.status_code != 200} == {}
    gets = {name for name in table() if name.startswith("`GET")}
    assert {page.name for page in pages} == gets - NOT_SHOWN


def test_every_page_asks_the_database_a_bounded_number_of_times(pages: list[Page]) -> None:
    """Also the same thing: a statement for each of sixty rows would be asked sixty times."""
    many = {page.name: page.asked.statements for page in pages if page.asked.statements > MOST_STATEMENTS}
    alike = {page.name: max(page.asked.seen.values(), default=0) for page in pages}
    assert many == {}
    assert {name: times for name, times in alike.items() if times > MOST_ALIKE} == {}
    assert CROWD > MOST_ALIKE


@pytest.mark.checklist("V16.3.2")
def test_every_page_of_a_tenant_is_recorded(pages: list[Page]) -> None:
    reached = [page for page in pages if page.path.startswith("/t/")]
    assert len(reached) > 20
    assert {page.name for page in reached if not page.entries} <= FOLLOWED


@pytest.mark.checklist("V3.6.1")
@pytest.mark.checklist("V14.2.1")
def test_every_page_is_small_and_whole_before_any_script_runs(pages: list[Page]) -> None:
    faults = [f"{page.name}: {fault}" for page in pages if page.is_html for fault in faults_of(page)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        '<button type="button">Open</button>',
        '<div hx-get="/more" hx-trigger="click"></div>',
        '<form action="/x" method="post"><input name="csrf_token" type="hidden"><select name="a"></select></form>',
        '<form action="/x" method="post"><button>Send</button></form>',
        '<form hx-post="/x"><button>Send</button></form>',
        '<p hx-get="/rows" hx-trigger="load"></p>',
    ],
)
def test_its_rule_finds_what_needs_script(text: str) -> None:
    reader = _Unscripted()
    reader.feed(text)
    assert reader.faults


class _Unscripted(HTMLParser):
    """Walks a page as it stands before any script, and takes down what could not be reached or sent."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.around: list[tuple[str, dict[str, str]]] = []
        self.form = Counter[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.around.append((tag, given))
        said = self.get_starttag_text() or tag
        leads = given.get("href", given.get("action", "")).startswith("/")
        if {"hx-get", "hx-post"} & given.keys() and not leads and self.is_seen() and not self.is_inside("form"):
            self.faults.append(f"only with script: {said[:160]}")
        if given.get("hx-trigger", "").startswith(("load", "revealed", "intersect")):
            self.faults.append(f"comes with script: {said[:160]}")
        if tag == "form":
            self.form = Counter({"post": int(given.get("method") == "post")})
            if not leads or "method" not in given:
                self.faults.append(f"a form that leads nowhere: {said}")
        elif tag == "input":
            self.form[given.get("name", "") if given.get("type") == "hidden" else "input"] += 1
        elif tag in {"select", "textarea"}:
            self.form["input"] += 2  # Enter sends from neither
        elif tag == "button":
            self.see_button(given, said)

    def see_button(self, given: dict[str, str], said: str) -> None:
        """Hold one button against what it does without script: it sends its form, or opens what it names."""
        if given.get("type", "submit") == "submit" and (self.is_inside("form") or "form" in given):
            self.form["button"] += 1
        elif self.is_seen() and not {"popovertarget", "commandfor"} & given.keys():
            self.faults.append(f"a button that nothing answers: {said[:160]}")

    def handle_endtag(self, tag: str) -> None:
        while self.around and self.around.pop()[0] != tag:
            pass
        if tag == "form":
            if not self.form["button"] and self.form["input"] != 1:  # one field alone is sent by its Enter
                self.faults.append("a form without a button")
            if self.form["post"] and not self.form["csrf_token"]:
                self.faults.append("a form without its token")

    def is_inside(self, tag: str) -> bool:
        """Return whether what is read now stands in such an element."""
        return any(name == tag for name, _attrs in self.around)

    def is_seen(self) -> bool:
        """Return whether what is read now is shown before script runs."""
        return not any(
            name == "dialog" or "hidden" in attrs or "needs-script" in attrs.get("class", "").split()
            for name, attrs in self.around
        )


def faults_of(page: Page) -> Iterator[str]:
    """Return what a browser without script could not show, reach or send on a page."""
    text = page.answer.text
    if len(text.encode()) >= LARGER.get(page.path, LARGEST_PAGE):
        yield f"{len(text.encode())} bytes"
    if not re.search(r"<h1[ >]", text):
        yield "no heading"
    if page.cookie in text or re.search(r'(src|href|action)="(https?:)?//', text):
        yield "a token, or an address elsewhere"
    if re.search(r'<noscript|href="javascript:|\son\w+="', text):
        yield "script in the page"
    reader = _Unscripted()
    reader.feed(text)
    yield from reader.faults
