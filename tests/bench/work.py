"""The work items of reference/performance.md: what is asked of the console, what of its floor, what both must show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from tests.bench.callers import Answer, Caller
from tests.bench.finance import addresses
from tests.bench.rows import Rows
from tests.bench.stage import AGENT, AUDITOR, LARGE, LEAD, Stage
from tests.bench.world import LARGEST

READ_AIM = 3.0
WRITE_AIM = 5.0
_DAY_US = 86_400_000_000
DEEP_PAGE = 5_000
_PER_PAGE = 50
_LISTED = 40  # deliveries on a page
_TYPE = "invoice.paid"  # a quarter of them

Step = Callable[[Caller, int], list[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question in both dialects, and texts that both answers must show."""

    ours: str
    floor: str
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One work item: who asks, and the requests of the n-th try on either side."""

    key: str
    title: str
    who: str
    aim: float | None
    ours: Step
    floor: Step
    expected: Callable[[int], tuple[str, ...]]
    statuses: frozenset[int] = frozenset({200, 303})
    rounds: int = 10
    per_round: int = 20
    most_statements: int = 35  # of one pass, however much there is


def items(stage: Stage) -> list[Item]:
    """Return every work item that this data set can answer."""
    rows = stage.rows
    largest, large = stage.tenant(LARGEST), stage.tenant(LARGE)
    overview = _same(f"/t/{LARGEST}/", f"/t/{LARGEST}", *_newest_invoices(rows, largest))
    return [
        _read("W1L", "landing page after sign-in", AGENT, [_same("/", "/landing", "Acme Robotics")]),
        *_searches(stage),
        _read("W3", "tenant overview", AGENT, [overview]),
        _read("W4a", "trail of a large tenant, newest year", AUDITOR, [_year(rows, large, back=0)]),
        _read("W4o", "the same, three years ago", AUDITOR, [_year(rows, large, back=2)]),
        _read("W4w", "trail of the largest tenant, newest year", AUDITOR, [_year(rows, largest, back=0)]),
        *_deep(rows, largest),
        *_delivery_lists(rows, largest),
        _read("inbox", f"inbox with {_waiting(rows)} requests", LEAD, [_same("/requests", "/inbox", "Acme Robotics")]),
        *(
            _read(key, what, LEAD, [_same(ours, floor, *expected)])
            for key, (what, ours, floor, expected) in addresses(rows).items()
        ),
        *_notes(stage, largest),
    ]  # fmt: skip


def _read(key: str, title: str, who: str, probes: Sequence[Probe]) -> Item:
    def of(number: int) -> Probe:
        return probes[number % len(probes)]

    return Item(
        key=key,
        title=title,
        who=who,
        aim=READ_AIM,
        ours=lambda caller, number: [caller.send("GET", of(number).ours)],
        floor=lambda caller, number: [caller.send("GET", of(number).floor)],
        expected=lambda number: of(number).expected,
    )


def _same(ours: str, floor: str, *expected: str) -> Probe:
    return Probe(ours=ours, floor=floor, expected=expected)


def _searches(stage: Stage) -> list[Item]:
    rows = stage.rows
    few = rows.all(
        "SELECT id, slug, name, plane FROM directory_tenant WHERE ordinal % 97 = 3 ORDER BY ordinal LIMIT 50"
    )
    plain = [row for row in few if row[2].isascii()]

    def probes(kind: str, texts: Sequence[tuple[str, str]]) -> list[Probe]:
        return [
            _same(f"/search?{urlencode({'q': text})}", f"/search?{urlencode({'q': text, 'kind': kind})}", slug)
            for text, slug in texts
        ]

    def keyed(kind: str) -> list[tuple[str, str]]:
        return [
            (row[0], row[1])
            for row in rows.all(
                "SELECT value, slug FROM directory_key JOIN directory_tenant ON id = tenant_id "
                "WHERE kind = :kind AND value > :from ORDER BY value LIMIT 25",
                {"kind": kind, "from": {"invoice": "inv-", "customer": "cus_4", "message": "msg_0"}.get(kind, "m")},
            )
        ]

    return [
        _read("W2a", "search: a fragment with many hits", AGENT, probes("name", [_common_fragment(rows)])),
        _read("W2r", "search: a fragment with few hits", AGENT, probes("name", _rare_fragments(plain))),
        _read("W2b", "search: a member's e-mail", AGENT, probes("member_email", _addresses(rows))),
        _read("W2c", "search: an exact id", AGENT, probes("id", [(row[0], row[1]) for row in few])),
        _read("W2s", "search: a slug", AGENT, probes("slug", [(row[1], row[1]) for row in few])),
        _read("W2d", "search: a domain", AGENT, probes("domain", keyed("domain"))),
        _read("W2i", "search: an invoice number", AGENT, probes("invoice", keyed("invoice"))),
        _read("W2p", "search: a customer of the billing provider", AGENT, probes("customer", keyed("customer"))),
        _read("W2m", "search: a webhook message", AGENT, probes("message", keyed("message"))),
    ]


def _common_fragment(rows: Rows) -> tuple[str, str]:
    """Return a fragment that about 800 of 100,000 names hold, and the first of them."""
    found = rows.all(
        "SELECT slug FROM directory_tenant WHERE name_folded LIKE '%etworks%' ORDER BY name_folded, id LIMIT 1"
    )
    return "etworks", found[0][0]


def _rare_fragments(few: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return the ends of long names: few names share them."""
    return [(row[2][2:].lower(), row[1]) for row in few if len(row[2]) > 12]


def _addresses(rows: Rows) -> list[tuple[str, str]]:
    found = rows.all(
        "SELECT email, slug FROM plane_member JOIN directory_tenant ON directory_tenant.id = tenant_id "
        "WHERE tenant_id > :from AND email <> '' ORDER BY tenant_id, plane_member.id LIMIT 40",
        {"from": "ten_8"},
    )
    return [(row[0], row[1]) for row in found if row[0].isascii()]


def _newest_invoices(rows: Rows, tenant: str) -> tuple[str, ...]:
    found = rows.all(
        "SELECT number FROM plane_invoice WHERE tenant_id = :tenant ORDER BY issued_at DESC, number DESC LIMIT 5",
        {"tenant": tenant},
    )
    return tuple(row[0] for row in found)


def _year(rows: Rows, tenant: str, *, back: int) -> Probe:
    """Return one year of a tenant's trail that ends yesterday, or whole years before that."""
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=365 * back)
    since = until - timedelta(days=364)
    asked = {"since": int(since.timestamp() * 1_000_000), "until": int(until.timestamp() * 1_000_000)}
    found = rows.all(
        "SELECT uid FROM audit_event WHERE tenant = :tenant AND ts_us >= :since AND ts_us < :until "
        "ORDER BY id DESC LIMIT 50",
        {**asked, "tenant": tenant},
    )
    days = {"since": since.date().isoformat(), "until": (until - timedelta(days=1)).date().isoformat()}
    return _same(
        f"/trail?{urlencode({'tenant': tenant, **days})}",
        f"/trail?{urlencode({'tenant': tenant, **asked})}",
        *_ends(found),
    )


def _deep(rows: Rows, tenant: str) -> list[Item]:
    """Return the item that reads page 5,000 of the largest tenant, or the last full page of a smaller data set."""
    total = rows.all("SELECT count(*) FROM audit_event WHERE tenant = :tenant", {"tenant": tenant})[0][0]
    page = min(DEEP_PAGE, total // _PER_PAGE)
    if page < 2:
        return []
    edge = {"tenant": tenant, "skipped": (page - 1) * _PER_PAGE - 1}
    before = rows.all(
        "SELECT id FROM audit_event WHERE tenant = :tenant ORDER BY id DESC LIMIT 1 OFFSET :skipped", edge
    )[0][0]
    found = rows.all(
        "SELECT uid FROM audit_event WHERE tenant = :tenant AND id < :before ORDER BY id DESC LIMIT 50",
        {"tenant": tenant, "before": before},
    )
    asked = urlencode({"tenant": tenant, "before": before})
    return [
        _read("W4d", f"the same, page {page:,}", AUDITOR, [_same(f"/trail?{asked}", f"/trail?{asked}", *_ends(found))])
    ]


def _delivery_lists(rows: Rows, tenant: str) -> list[Item]:
    """Return the list of deliveries: the newest, those given up, and a page from the middle of those."""
    newest = (
        "SELECT id FROM plane_webhook_delivery WHERE tenant_id = :tenant AND {} "
        "ORDER BY created_at DESC, id DESC LIMIT {}"
    )
    state, of_type = "state = 'exhausted'", f"event_type = '{_TYPE}'"
    endpoint = rows.all("SELECT min(id) FROM plane_webhook_endpoint WHERE tenant_id = :tenant", {"tenant": tenant})[0][
        0
    ]
    narrow = {"endpoint": endpoint, "event_type": _TYPE, "state": "exhausted"}
    narrowed = f"endpoint = '{endpoint}' AND {of_type} AND {state}"

    def shown(condition: str, *, page: int = 1) -> tuple[str, ...]:
        found = rows.all(newest.format(condition, page * _LISTED), {"tenant": tenant})
        return _ends(found[(page - 1) * _LISTED :])

    def probe(asked: dict[str, str], *expected: str) -> Probe:
        mine = urlencode({"tenant": tenant, **asked})
        return _same(f"/t/{LARGEST}/webhooks/deliveries?{urlencode(asked)}", f"/deliveries?{mine}", *expected)

    counted = f"SELECT count(*) FROM plane_webhook_delivery WHERE tenant_id = :tenant AND {state}"
    many = rows.all(counted, {"tenant": tenant})
    before = min(20, many[0][0] // _LISTED - 1)  # a small data set has fewer pages
    edge = shown(state, page=before)[-1]
    deep = shown(state, page=before + 1)
    return [
        _read("W8a", "deliveries, newest", AGENT, [probe({}, *shown("1 = 1"))]),
        _read("W8f", "deliveries that were given up", AGENT, [probe({"state": "exhausted"}, *shown(state))]),
        _read("W8d", f"the same, page {before + 1}", AGENT, [probe({"state": "exhausted", "before": edge}, *deep)]),
        _read("W8t", "deliveries of one type", AGENT, [probe({"event_type": _TYPE}, *shown(of_type))]),
        _read("W8e", "one endpoint's of one type that were given up", AGENT, [probe(narrow, *shown(narrowed))]),
    ]


def _ends(found: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return (found[0][0], found[-1][0]) if found else ()


def _waiting(rows: Rows) -> int:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    asked = "SELECT count(*) FROM request WHERE state = 'pending' AND approve_by > :now"
    return int(rows.all(asked, {"now": now})[0][0])


def _notes(stage: Stage, tenant: str) -> list[Item]:
    """Return the governed write alone (W5), and with its form (W5f: form, preview and run; a plain form and POST)."""
    href = f"/t/{LARGEST}/actions/tenant.add_note"
    plain = f"/notes?{urlencode({'tenant': tenant})}"
    known: dict[str, str] = {}

    def text(number: int) -> str:
        return f"Called about the renewal, take {number % 7}"

    def prepared(caller: Caller, number: int) -> tuple[dict[str, str], list[Answer]]:
        shown = caller.send("GET", href)
        form = {**shown.carried(), "text": text(number), "step": "preview"}
        form["csrf_token"] = form.get("csrf_token") or shown.token()
        seen = caller.send("POST", href, form)
        return {**seen.carried(), "text": text(number), "step": "ask", **_reason()}, [shown, seen]

    def write(caller: Caller, number: int) -> list[Answer]:
        if known.get("text") != text(0):
            known.update(prepared(caller, 0)[0])
        form_id = stage.building.house.ids.new("req")
        return [caller.send("POST", href, {**known, "form_id": form_id})]

    def walk(caller: Caller, number: int) -> list[Answer]:
        form, answers = prepared(caller, number)
        return [*answers, caller.send("POST", href, form)]

    def plain_write(caller: Caller, number: int) -> list[Answer]:
        return [caller.send("POST", plain, {"text": text(number)})]

    def plain_walk(caller: Caller, number: int) -> list[Answer]:
        return [caller.send("GET", "/notes"), *plain_write(caller, number)]

    def nothing(_number: int) -> tuple[str, ...]:
        return ()

    return [
        Item(
            key="W5", title="governed write: a note, recorded", who=AGENT, aim=WRITE_AIM, ours=write,
            floor=plain_write, expected=nothing, statuses=frozenset({303}),
        ),
        Item(
            key="W5f", title="form, preview and run / form and POST", who=AGENT, aim=WRITE_AIM, ours=walk,
            floor=plain_walk, expected=nothing, most_statements=60,
        ),
    ]  # fmt: skip


def _reason() -> dict[str, str]:
    return {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "SUP-48213", "reason_note": ""}
