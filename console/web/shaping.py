"""What several pages show alike: people, tenants, requests in a row, refusals, and entries told in words."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from console.domain.changes import Change
from console.domain.decisions import Deny, GroupNeed, NeedsStepUp
from console.domain.entries import told
from console.domain.reconciling.catalogue import KINDS
from console.domain.requests import Request, State
from console.domain.tenancy import DirectoryRow
from console.ports.trail import StoredEntry
from console.usecases.access_lines import UNREADABLE
from console.usecases.read_requests import Line
from console.web.paths import path_of

View = dict[str, Any]
Seen = tuple[str, str | None, str | None]  # a change as a page showed it: field, before, after

CLASS_ICONS = {
    "session": "key-round",
    "staff": "users",
    "directory": "search",
    "lease": "door-open",
    "impersonation": "user-check",
    "product": "package",
    "tenant": "eye",
    "request": "inbox",
    "governed": "zap",
    "notice": "send",
    "trail": "scroll-text",
    "policy": "scale",
    "security": "shield-alert",
    "system": "cog",
    "access": "sliders-horizontal",
    "break_glass": "siren",
    "consent": "user-check",
    "disclosure": "file-text",
    "finding": "scale",
    "freeze": "octagon-alert",
    "inbound": "inbox",
    "job": "cog",
    "period": "calendar-clock",
    "reconciliation": "scale",
    "replay": "refresh-cw",
    "review": "eye",
    "signal": "siren",
    "webhook": "webhook",
}
# The parts of an entry that pages show, as they are of one that cannot be read.
_NOBODYS: Mapping[str, Any] = MappingProxyType(
    {
        "ts_us": 0, "actor": {"id": None, "name": "Nobody of ours"}, "tenant": None, "reason": None,
        "authorisation": None, "governed": None, "error": None, "exposure": None, "correlation": None, "targets": [],
        "changes": [], "outcome": "unknown", "class": "security",
        "action": "left an entry that cannot be read; “sallyport trail verify” says more",
    }
)  # fmt: skip
_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}
_OUTCOME_KINDS = {"denied": "stop", "failed": "stop", "unknown": "warn"}


def tenant_view(row: DirectoryRow) -> View:
    """Return a tenant as lists and headings show it: directory fields only."""
    return {
        "name": row.name,
        "slug": row.slug,
        "id": row.id,
        "initials": row.initials,
        "hue": row.hue,
        "region": row.region,
        "plan": row.plan,
        "status": row.status.value,
        "tier": row.tier.value,
        "href": path_of("tenants.overview", slug=row.slug),
        "lease_href": path_of("leases.create", slug=row.slug),
    }


def request_mark(state: State) -> str:
    """Return the mark of a request's state: what its people withdrew says so, as their button did."""
    return "withdrawn" if state is State.CANCELLED else state.value


def refusal_view(refusal: Deny | NeedsStepUp) -> View:
    """Return which rule refused, in a sentence, and what would make it possible."""
    if isinstance(refusal, NeedsStepUp):
        minutes = refusal.max_age_s // 60
        return {
            "sentence": f"This needs a second factor not older than {minutes} minutes.",
            "rule": ", ".join(refusal.rules),
            "remedy": "Type the code of your authenticator.",
            "code": "needs_step_up",
        }
    return {
        "sentence": refusal.sentence or "This is not possible now.",
        "remedy": refusal.remedy,
        "rule": ", ".join(refusal.rules),
        "code": refusal.code.value,
    }


def with_query(path: str, params: Mapping[str, str]) -> str:
    """Return a path with a query; none when there is nothing to ask."""
    return f"{path}?{urlencode(params)}" if params else path


def diff_rows(changes: Iterable[Change]) -> list[View]:
    """Return changes for the diff component."""
    return [
        {"label": c.field, "before": c.before, "after": c.after, "unit": "", "delta": "", "note": ""} for c in changes
    ]


def drift_rows(seen: Iterable[Seen], now: Iterable[Change]) -> list[View]:
    """Return what was shown beside what holds now, field by field."""
    before = {field: (old, new) for field, old, new in seen}
    after = {change.field: (change.before, change.after) for change in now}
    return [
        {"label": field, "approved": _arrow(before.get(field)), "current": _arrow(after.get(field))}
        for field in dict.fromkeys([*before, *after])
    ]


def group_words(need: GroupNeed) -> str:
    """Return an approval group in words, such as `finance lead` or `2 of support lead`."""
    name = _group_name(need)
    return name if need.count == 1 else f"{need.count} of {name}"


def groups_in_words(needs: Sequence[GroupNeed]) -> str:
    """Return all approval groups as one phrase."""
    names = [group_words(need) for need in needs]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nobody"


def approvers_in_words(needs: Sequence[GroupNeed]) -> str:
    """Return who must approve, with article or number, such as `a support lead and 2 finance leads`."""
    names = [_group_name(need) for need in needs]
    words = [
        f"a {name}" if need.count == 1 else f"{need.count} {name}s" for need, name in zip(needs, names, strict=True)
    ]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _group_name(need: GroupNeed) -> str:
    """Return a group's name; `webhook_second` is no word of ours, and who may take the seat stands beside the vote."""
    return "second person" if need.name.endswith("_second") else need.name.replace("_", " ")


def minor_digits(currency: str) -> int:
    """Return how many decimals a currency has. Source: ISO 4217."""
    return _DIGITS.get(currency.upper(), 2)


def request_queue(lines: Iterable[Line], *, is_own: bool) -> list[View]:
    """Return requests as items of a work queue."""
    return [_queue_item(line, is_own=is_own) for line in lines]


def deadline(request: Request, state: State) -> datetime | None:
    """Return the clock that runs for a request, if one does."""
    if state is State.PENDING:
        return request.approve_by
    if state is State.COUNTING_DOWN:
        return request.approve_by
    return request.execute_by if state is State.APPROVED else None


def entry_time(body: Mapping[str, Any]) -> datetime:
    """Return when an entry happened."""
    return datetime.fromtimestamp(body["ts_us"] // 1_000_000, tz=UTC)


def body_of(stored: StoredEntry) -> dict[str, Any]:
    """Return the fields of a stored entry; of one that no house wrote, which nobody can read, fields that say so.

    Whether an entry is sound is for `trail verify` to say: it names this one, and the others are shown all the same.
    """
    try:
        body: dict[str, Any] = json.loads(stored.body)  # as the database gave it back
        _ = entry_time(body), sentence_of(body, {}), *(body[part] for part in _NOBODYS)
        _ = [body["actor"][part] for part in ("id", "name")], [change["field"] for change in body["changes"]]
        _ = [(body[part] or {}).get("id") for part in ("tenant", "reason", "authorisation")]
    except UNREADABLE:
        return {**_NOBODYS, "uid": stored.uid}
    return body


def entry_events(entries: Iterable[StoredEntry], titles: Mapping[str, str], *, is_linked: bool) -> list[View]:
    """Return entries as a timeline; links lead into the trail where the person may read it."""
    return [_event(stored, titles, is_linked=is_linked) for stored in entries]


def entry_row(stored: StoredEntry, titles: Mapping[str, str], *, is_linked: bool) -> View:
    """Return one entry as a row of a table."""
    body = body_of(stored)
    tenant = body["tenant"] or {}
    return {
        "at": entry_time(body),
        "actor": body["actor"]["name"],
        "actor_id": body["actor"]["id"] or "",
        "sentence": sentence_of(body, titles),
        "tenant": tenant.get("name", ""),
        "tenant_id": tenant.get("id", ""),
        "outcome": body["outcome"],
        "action": body["action"],
        "position": stored.position,
        "reference": (body["reason"] or {}).get("reference", ""),
        "href": path_of("trail.show", uid=stored.uid) if is_linked and stored.uid else "",
    }


def _queue_item(line: Line, *, is_own: bool) -> View:
    request = line.request
    tenant = line.tenant
    waiting_on = f"waits for {groups_in_words(request.needs)}" if request.state is State.PENDING else ""
    meta = [
        tenant.name if tenant is not None else "No tenant",
        "" if is_own else f"asked by {request.requester_name}",
        request.reason.reference,
        waiting_on if is_own else "",
    ]
    until = deadline(request, request.state)
    return {
        "href": path_of("requests.show", request_id=request.id),
        "title": request.preview.sentence or line.title,
        "meta": [text for text in meta if text],
        "icon": "layers",
        "initials": tenant.initials if tenant else "",
        "hue": tenant.hue if tenant else 0,
        "state": request_mark(request.state) if is_own else "",
        "until": until,
        "at": None if until else request.finished_at or request.filed_at,
    }


def _event(stored: StoredEntry, titles: Mapping[str, str], *, is_linked: bool) -> View:
    body = body_of(stored)
    reference = (body["reason"] or {}).get("reference", "")
    kind = _OUTCOME_KINDS.get(body["outcome"], "ok" if body["class"] == "governed" else "")
    return {
        "at": entry_time(body),
        "icon": "ban" if body["outcome"] == "denied" else CLASS_ICONS.get(body["class"], "info"),
        "kind": kind,
        "title": _capital(sentence_of(body, titles)),
        "who": body["actor"]["name"],
        "text": f"Reference {reference}" if reference else "",
        "href": path_of("trail.show", uid=stored.uid) if is_linked and stored.uid else "",
        "known_at": None,
    }


def sentence_of(body: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return an entry's sentence, to stand after the actor's name; a code that ends it is written as words."""
    governed = body["governed"]
    body = {**body, "targets": [_spoken(each) for each in body["targets"]]}
    sentence = told(body, titles={governed: f"“{titles[governed]}”"} if governed in titles else {})
    code = body["error"] or (body["authorisation"] or {}).get("deny_code") or ""
    return sentence.removesuffix(code) + code.replace("_", " ") if code and sentence.endswith(code) else sentence


def _spoken(target: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a target as people call it: a finding by its kind's title, which the entry holds as a key."""
    is_known = target["type"] == "finding" and target["name"] in KINDS
    return {**target, "name": f"“{KINDS[target['name']].title}”"} if is_known else target


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _arrow(pair: tuple[str | None, str | None] | None) -> str:
    if pair is None:
        return "not part of it"
    before, after = (value if value is not None else "not set" for value in pair)
    return f"{before} → {after}"
