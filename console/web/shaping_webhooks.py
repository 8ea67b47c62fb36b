"""A tenant's webhooks as their templates want them: endpoints with health and keys, and dead letters."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from console.domain.ids import EndpointId
from console.domain.tenancy import DirectoryRow
from console.domain.webhooks import DeadLetters, DeliveryState, Endpoint, EndpointKey, EndpointState, Health
from console.usecases.offer_actions import Offer
from console.usecases.read_webhooks import HEALTH_HOURS, DeadLettersPage, EndpointPage, WebhooksPage
from console.web.forms.webhooks import moment_text
from console.web.paths import path_of
from console.web.shaping import View, with_query
from console.web.shaping_deliveries import counted, delivery_row, in_words, outcome_view, section_views
from console.web.shaping_tenants import action_href, placed_links

PLAN = "webhook.plan_replay"
_ACTIVE, _STOPPED = EndpointState.ACTIVE, (EndpointState.PAUSED, EndpointState.DISABLED)
# Which verbs a state leaves; the others would only be refused.
LEGAL: Mapping[str, frozenset[EndpointState]] = {
    "webhook.change_endpoint": frozenset({_ACTIVE, *_STOPPED}),
    "webhook.pause_endpoint": frozenset({_ACTIVE}),
    "webhook.enable_endpoint": frozenset(_STOPPED),
    "webhook.disable_endpoint": frozenset({_ACTIVE, EndpointState.PAUSED}),
    "webhook.delete_endpoint": frozenset({_ACTIVE, *_STOPPED}),
    "webhook.rotate_secret": frozenset({_ACTIVE, *_STOPPED}),
    "webhook.test_send": frozenset({_ACTIVE}),
    "webhook.send_snapshot": frozenset({_ACTIVE}),
}
_WARNS_AFTER = timedelta(minutes=15)


def webhooks_view(page: WebhooksPage, offers: Sequence[Offer], runs: list[View], now: datetime) -> View:
    """Return the endpoints with health, what is wrong first."""
    row = page.opened.tenant
    return {
        "views": section_views(row, "endpoints", dead=sum(group.count for group in page.dead) or None),
        "troubles": [_trouble(line.endpoint, line.dead, row, offers, page.dead) for line in page.lines
                     if _is_in_trouble(line.endpoint, now) or line.dead],
        "rows": [
            endpoint_view(line.endpoint, row) | {"health": health_view(line.health, now), "dead": line.dead}
            for line in page.lines
        ],
        "runs": runs,
        "offers": placed_links(offers, row, "webhooks"),
    }  # fmt: skip


def endpoint_page_view(page: EndpointPage, offers: Sequence[Offer], now: datetime) -> View:
    """Return one endpoint with its keys, health, latest deliveries and dead letters."""
    row, endpoint = page.opened.tenant, page.endpoint
    names = {endpoint.id: endpoint}
    known = {"endpoint": str(endpoint.id)}
    return {
        "endpoint": endpoint_view(endpoint, row),
        "health": health_view(page.health, now),
        "signing_keys": [_key(key, now) for key in page.keys],
        "deliveries": [delivery_row(delivery, names, row) for delivery in page.deliveries],
        "all_href": with_query(path_of("webhooks.deliveries", slug=row.slug), known),
        "dead": [_group(group, names, row, offers) for group in page.dead],
        "offers": [
            link
            for link in placed_links(offers, row, "endpoint", known)
            if endpoint.state in LEGAL.get(link["key"], frozenset(EndpointState))
        ],
    }


def dead_letters_view(page: DeadLettersPage, offers: Sequence[Offer]) -> View:
    """Return the dead letters by endpoint, each group with the way to a replay of it."""
    row = page.opened.tenant
    names = {endpoint.id: endpoint for endpoint in page.endpoints}
    by_endpoint: dict[EndpointId, list[DeadLetters]] = {}
    for group in page.dead:
        by_endpoint.setdefault(group.endpoint, []).append(group)
    total = sum(group.count for group in page.dead)
    return {
        "views": section_views(row, "dead", dead=total or None),
        "total": total,
        "groups": [
            {
                "endpoint": endpoint_view(names[endpoint], row) if endpoint in names else None,
                "id": endpoint,
                "count": sum(group.count for group in groups),
                "rows": [_group(group, names, row, offers) for group in groups],
                "plan_href": plan_href(row, offers, names.get(endpoint), groups),
            }
            for endpoint, groups in by_endpoint.items()
        ],
    }


def plan_href(
    row: DirectoryRow, offers: Iterable[Offer], endpoint: Endpoint | None, groups: Sequence[DeadLetters]
) -> str:
    """Return the plan of a replay filled in for dead letters of one endpoint; "" where it is not offered.

    A replay reaches active endpoints only; enabling another one offers a replay by itself.
    """
    offer = next((offer for offer in offers if offer.action.key == PLAN), None)
    if offer is None or not groups or endpoint is None or endpoint.state is not EndpointState.ACTIVE:
        return ""
    since, until = min(group.oldest_at for group in groups), max(group.newest_at for group in groups)
    known = {
        "endpoint": str(groups[0].endpoint),
        "wanted": "failed",
        "since": moment_text(since),
        "until": moment_text(until + timedelta(minutes=1)),
    }
    return action_href(row, PLAN, **{f.name: known[f.name] for f in offer.action.fields if f.name in known})


def endpoint_view(endpoint: Endpoint, row: DirectoryRow) -> View:
    """Return an endpoint as lists and headings show it."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "state": endpoint.state.value,
        "because": in_words(endpoint.because),
        "failing_since": endpoint.failing_since,
        "failures": endpoint.failures_in_row,
        "breaker_until": endpoint.breaker_until,
        "disabled_at": endpoint.disabled_at,
        "warned_at": endpoint.warned_at,
        "types": list(endpoint.event_types),
        "types_text": "all events" if not endpoint.event_types else counted(len(endpoint.event_types), "event type"),
        "rate": endpoint.rate_per_s,
        "created_at": endpoint.created_at,
        "href": path_of("webhooks.endpoint", slug=row.slug, endpoint_id=endpoint.id),
    }


def health_view(health: Sequence[Health], now: datetime) -> View:
    """Return the last hours as pairs, empty hours filled in, with the share that arrived."""
    by_hour = {_hour(each.hour): each for each in health}
    last = _hour(now)
    hours = [last - timedelta(hours=back) for back in reversed(range(HEALTH_HOURS))]
    none = Health(hour=last, succeeded=0, failed=0)
    found = [(hour, by_hour.get(hour, none)) for hour in hours]
    bars = [{"hour": hour, "ok": each.succeeded, "bad": each.failed} for hour, each in found]
    good, bad = sum(each.succeeded for _hour, each in found), sum(each.failed for _hour, each in found)
    share = f"{100 * good / (good + bad):.1f} %" if good + bad else "nothing sent"
    label = f"{good:,} attempts arrived and {bad:,} failed in the last {HEALTH_HOURS} hours"
    return {"bars": bars, "ok": good, "bad": bad, "share": share, "label": label}


def _trouble(
    endpoint: Endpoint, dead: int, row: DirectoryRow, offers: Sequence[Offer], groups: Sequence[DeadLetters]
) -> View:
    mine = [group for group in groups if group.endpoint == endpoint.id]
    lost = f"{counted(dead, 'delivery', 'deliveries')} gave up" if dead else ""
    if endpoint.state is EndpointState.DISABLED:
        title = "An endpoint is disabled"
        because = in_words(endpoint.because)
        sentence = f"{endpoint.url} gets nothing{f': {because}' if because else ''}."
    elif endpoint.failing_since is not None:
        title = "An endpoint is failing"
        sentence = f"{endpoint.url}: {counted(endpoint.failures_in_row, 'attempt')} failed in a row."
    else:
        title = f"{lost[:1].upper()}{lost[1:]}"
        sentence = f"{endpoint.url} answers again; what it missed has not been sent."
        lost = ""
    return {
        "kind": "stop" if endpoint.state is EndpointState.DISABLED else "warn",
        "title": title,
        "sentence": f"{sentence} {lost}.".strip() if lost else sentence,
        "since": endpoint.disabled_at or endpoint.failing_since,
        "href": plan_href(row, offers, endpoint, mine),
        "dead_href": path_of("webhooks.dead_letters", slug=row.slug) if dead else "",
    }


def _is_in_trouble(endpoint: Endpoint, now: datetime) -> bool:
    is_failing = endpoint.failing_since is not None and now - endpoint.failing_since >= _WARNS_AFTER
    return is_failing or endpoint.state is EndpointState.DISABLED


def _group(
    group: DeadLetters, names: Mapping[EndpointId, Endpoint], row: DirectoryRow, offers: Sequence[Offer]
) -> View:
    endpoint = names.get(group.endpoint)
    params = {
        "endpoint": str(group.endpoint),
        "state": DeliveryState.EXHAUSTED.value,
        "since": moment_text(group.oldest_at),
        "until": moment_text(group.newest_at + timedelta(minutes=1)),
    }
    return {
        "fingerprint": group.fingerprint,
        "outcome": outcome_view(group.outcome, group.status),
        "endpoint": endpoint.url if endpoint else group.endpoint,
        "count": group.count,
        "oldest_at": group.oldest_at,
        "newest_at": group.newest_at,
        "href": with_query(path_of("webhooks.deliveries", slug=row.slug), params),
        "plan_href": plan_href(row, offers, endpoint, [group]),
    }


def _key(key: EndpointKey, now: datetime) -> View:
    return {
        "id": key.id,
        "algorithm": {"v1": "HMAC-SHA256 (v1)", "v1a": "Ed25519 (v1a)"}[key.algorithm.value],
        "public": key.public or "",
        "created_at": key.created_at,
        "days": (now - key.created_at).days,
        "expires_at": key.expires_at,
    }


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
