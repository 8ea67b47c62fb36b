"""What stands around every page: places, tenant, person, clocks; shaped as templates/layouts/page.html reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flask import current_app, get_flashed_messages, request
from flask_wtf.csrf import generate_csrf

from console.domain.staff import Actor
from console.usecases.asking import step_up_age
from console.usecases.opened_tenant import Opened
from console.usecases.read_home import Places, read_places
from console.web import asking, sessions, wording
from console.web.banners import Banner, banner_of
from console.web.paths import path_of
from console.web.security import nonce

KINDS = ("ok", "info", "warn", "stop")
_TABS = (
    ("overview", "Overview", "tenants.overview"),
    ("members", "Members", "tenants.members"),
    ("impersonations", "Impersonations", "impersonations.index"),
    ("entitlements", "Entitlements", "tenants.entitlements"),
    ("billing", "Billing", "billing.show"),
    ("webhooks", "Webhooks", "webhooks.index"),
    ("jobs", "Jobs", "tenants.jobs"),
    ("notes", "Notes", "tenants.notes"),
    ("entries", "Entries", "tenants.entries"),
    ("customer", "Customer", "customer.show"),
)


_OF_TENANTS = ("tenants", "leases", "search", "webhooks", "replays", "billing", "findings", "impersonations")
# the pages that any of opens it and where each leads, label, icon, the key after `g`, blueprints
_RAIL: tuple[tuple[Mapping[str, str], str, str, str, tuple[str, ...]], ...] = (
    ({"tenants": "tenants.index"}, "Tenants", "building-2", "t", _OF_TENANTS),
    ({"requests": "requests.index"}, "Requests", "inbox", "q", ("requests",)),
    (
        {"reconciliation": "reconciliation.index", "periods": "periods.index"},
        "Reconciliation",
        "scale",
        "c",
        ("reconciliation", "periods"),
    ),
    ({"trail": "trail.index"}, "Trail", "scroll-text", "r", ("trail",)),
    ({"staff": "staff.index"}, "Staff & policy", "users", "p", ("staff", "policy")),
    ({"access": "access.register"}, "Access", "sliders-horizontal", "a", ("access",)),
    ({"operations": "operations.index"}, "Operations", "activity", "o", ("operations",)),
    ({"signals": "signals.index"}, "Signals", "siren", "s", ("signals",)),
    ({"reviews": "reviews.index"}, "Reviews", "eye", "v", ("reviews",)),
    ({"freezes": "freezes.index"}, "Kill switch", "shield-alert", "z", ("freezes",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses that every page needs; sign_out takes POST."""

    home: str
    search: str
    palette: str
    sessions: str
    step_up: str
    sign_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The signed-in staff member."""

    name: str
    initials: str
    roles: list[str]
    is_stepped_up: bool
    step_up_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One line of the rail; `key` follows `g` on the keyboard."""

    label: str
    icon: str
    href: str
    key: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One page of the open tenant."""

    label: str
    href: str
    is_current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantBar:
    """Which tenant, for what reason, for how long."""

    name: str
    slug: str
    initials: str
    hue: int
    region: str
    plan: str
    tier: str
    status: str
    reason_code: str
    reason_label: str
    reference: str
    until: datetime
    idle_until: datetime
    lease_id: str
    end_href: str
    overview_href: str
    tabs: list[Tab]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message above the page. Shape: `kind` is ok, info, warn or stop."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Everything that a layout reads; every attribute is always present."""

    environment: str
    nonce: str
    csrf_token: str
    now: datetime
    request_id: str
    links: Links
    staff: Person | None
    rail: list[Place]
    tenant: TenantBar | None
    banner: Banner | None
    notice: list[Said]


def door_frame(*, has_form: bool) -> Frame:
    """Return the frame of somebody who is not inside; it asks the store nothing."""
    return Frame(
        environment=_environment(),
        nonce=nonce(),
        csrf_token=_form_token() if has_form else "",
        now=asking.house().clock.now(),
        request_id=asking.request_id(),
        links=_links(),
        staff=None,
        rail=[],
        tenant=None,
        banner=None,
        notice=_said() if has_form else [],
    )


def full_frame(actor: Actor, *, opened: Opened | None, tab: str) -> Frame:
    """Return the frame of a signed-in person, with the tenant bar where a tenant page is shown."""
    around = read_places(asking.house(), actor)
    return Frame(
        environment=_environment(),
        nonce=nonce(),
        csrf_token=_form_token(),
        now=asking.house().clock.now(),
        request_id=asking.request_id(),
        links=_links(may_search="search" in around.pages),
        staff=_person(actor),
        rail=_rail(around),
        tenant=None if opened is None else _tenant(opened, tab),
        banner=banner_of(around, opened),
        notice=_said(),
    )


def is_stepped_up(actor: Actor) -> bool:
    """Return whether the second factor is fresh enough for dangerous actions."""
    house = asking.house()
    return 0 <= step_up_age(actor, house.clock.now()) < house.book.limits.step_up_fresh_minutes * 60


def _form_token() -> str:
    """Return the token that forms carry: one is good as long as its secret, and signing costs more than a statement."""
    key = current_app.secret_key, sessions.form_secret()
    known = _tokens.get(key)
    if known is None:
        known = generate_csrf()
        if len(_tokens) >= _MOST_TOKENS:
            _tokens.clear()
        _tokens[current_app.secret_key, sessions.form_secret()] = known
    return sessions.use_form_token(known)


_MOST_TOKENS = 1_024
_tokens: dict[tuple[object, object], str] = {}


def _environment() -> str:
    return asking.options().environment


def _links(*, may_search: bool = True) -> Links:
    return Links(
        home=path_of("home.show"),
        search=path_of("search.show") if may_search else "",
        palette=path_of("palette.show"),
        sessions=path_of("account.show"),
        step_up=path_of("account.step_up"),
        sign_out=path_of("door.sign_out"),
    )


def _person(actor: Actor) -> Person:
    fresh = timedelta(minutes=asking.house().book.limits.step_up_fresh_minutes)
    has_shown = is_stepped_up(actor) and actor.stepped_up_at is not None
    return Person(
        name=actor.name,
        initials=wording.initials(actor.name),
        roles=wording.roles(actor.roles),
        is_stepped_up=has_shown,
        step_up_until=actor.stepped_up_at + fresh if has_shown and actor.stepped_up_at is not None else None,
    )


def _rail(around: Places) -> list[Place]:
    places = [_place("Home", "house", "home.show", key="h", blueprints=("home",))]
    for pages, label, icon, key, blueprints in _RAIL:
        first = next((page for page in pages if page in around.pages), None)
        if first is not None:
            count = around.waiting if first == "requests" else None
            places.append(_place(label, icon, pages[first], key=key, blueprints=blueprints, count=count))
    return places


def _place(
    label: str, icon: str, endpoint: str, *, key: str, blueprints: tuple[str, ...], count: int | None = None
) -> Place:
    is_current = request.blueprint in blueprints
    return Place(label=label, icon=icon, href=path_of(endpoint), key=key, count=count, is_current=is_current)


def _tenant(opened: Opened, tab: str) -> TenantBar:
    row, lease = opened.tenant, opened.lease
    # Showing this page moved the idle clock, after the lease was read.
    idle_until = asking.house().clock.now() + timedelta(minutes=lease.idle_minutes)
    return TenantBar(
        name=row.name,
        slug=row.slug,
        initials=row.initials,
        hue=row.hue,
        region=row.region.upper(),
        plan=row.plan,
        tier=row.tier.value,
        status=row.status.value,
        reason_code=lease.reason.code,
        reason_label=asking.reason_label(lease.reason.code),
        reference=lease.reason.reference,
        until=lease.not_after,
        idle_until=idle_until,
        lease_id=lease.id,
        end_href=path_of("leases.end", lease=lease.id),
        overview_href=path_of("tenants.overview", slug=row.slug),
        tabs=[
            Tab(label=label, href=path_of(endpoint, slug=row.slug), is_current=name == tab)
            for name, label, endpoint in _TABS
        ],
    )


def _said() -> list[Said]:
    found = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    return [Said(kind=kind if kind in KINDS else "info", text=text) for kind, text in found]
