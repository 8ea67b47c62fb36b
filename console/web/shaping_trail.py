"""The trail, the staff and the policy, as their templates want them."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.domain.catalogue import Outcome
from console.domain.entries import CATALOGUE
from console.domain.reasons import Effect
from console.policy.book import ActionRule, PolicyBook, RuleText
from console.ports.actions import Reach
from console.ports.trail import StoredCheckpoint, StoredEntry
from console.usecases.offer_actions import Offer
from console.usecases.read_staff import StaffPage
from console.usecases.read_trail import TrailPage
from console.web import wording
from console.web.forms.trail import FILTERS, TrailForm
from console.web.paths import path_of
from console.web.shaping import View, body_of, entry_row, entry_time, group_words, sentence_of, with_query
from console.web.shaping_tenants import action_links

_FILTER_WORDS = {
    "tenant": "tenant",
    "actor": "actor",
    "action": "entry",
    "outcome": "outcome",
    "target": "target",
    "correlation": "event",
    "since": "from",
    "until": "to",
}
_MANY_ACTIONS = 8
_LABELS = {"ts_us": "time in µs", "v": "format", "w": "writer", "uid": "id"}


def trail_view(page: TrailPage, form: TrailForm, titles: Mapping[str, str]) -> View:
    """Return one page of the trail with its filters as chips."""
    return {
        "rows": [entry_row(entry, titles, is_linked=True) for entry in page.entries],
        "chips": [
            {"key": _FILTER_WORDS[name], "value": value, "remove_href": _without(form, name)}
            for name, value in form.typed.items()
        ],
        "clear_href": path_of("trail.index"),
        "typed": {name: form.typed.get(name, "") for name in FILTERS},
        "faults": form.faults,
        "checkpoint": _checkpoint(page.checkpoint),
        "older": with_query(path_of("trail.index"), {**form.typed, "before": str(page.older)}) if page.older else "",
        "newest": with_query(path_of("trail.index"), form.typed) if form.before is not None else "",
        "actions": _ACTIONS,
        "outcomes": _OUTCOMES,
    }


def entry_view(stored: StoredEntry, titles: Mapping[str, str]) -> View:
    """Return one entry whole: every field in groups, its canonical bytes, its leaf and its place."""
    body = body_of(stored)
    sentence = sentence_of(body, titles)
    return {
        "uid": stored.uid,
        "position": stored.position,
        "leaf": stored.leaf.hex(),
        "at": entry_time(body),
        "actor": body["actor"]["name"],
        "sentence": sentence,
        "outcome": body["outcome"],
        "groups": _field_groups(body),
        "diff": [
            {"label": c["field"], "before": c["before"], "after": c["after"], "unit": "", "delta": "", "note": ""}
            for c in body["changes"]
        ],
        "canonical": stored.body.decode(),
        "bytes": len(stored.body),
        "more": _more(body),
    }


def staff_view(page: StaffPage, offers: list[Offer]) -> View:
    """Return the staff with their roles, and the actions on them that this person may ask for."""
    return {
        "rows": [
            {
                "name": m.name,
                "initials": wording.initials(m.name),
                "email": m.email,
                "id": m.id,
                "roles": wording.roles(m.roles),
                "state": "active" if m.is_active else "deactivated",
                "kind": m.kind.value,
                "last_seen_at": m.last_seen_at,
                "created_at": m.created_at,
                "links": _staff_links(offers, m.id, is_active=m.is_active),
            }
            for m in page.members
        ],
        "older": path_of("staff.index", after=page.older) if page.older else "",
        "actions": action_links([offer for offer in offers if not _is_about_one(offer)], None),
    }


# Large areas have a view of their own, so that every page stays light: label, and how their actions begin.
AREAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "access": ("Entitlements", ("entitlement.",)),
    "webhooks": ("Webhooks and jobs", ("webhook.", "job.", "inbound.")),
    "staff": ("Staff", ("staff.",)),
    "customer": ("The customer's side", ("customer_", "legal_hold.", "access_policy.", "consent.")),
    "money": ("Billing, findings, periods", ("billing.", "finding.", "reconciliation.", "period.")),
    "emergency": ("Emergencies and reviews", ("freeze.", "break_glass.", "review.")),
}


def policy_view(book: PolicyBook, titles: Mapping[str, str], *, area: str = "") -> View:
    """Return the rules in words, by action; then the reasons and the limits. `area` is one of AREAS, or empty."""
    shown = area if area in AREAS else ""
    return {
        "version": book.version,
        "is_whole": not shown,
        "areas": [
            {
                "label": label,
                "href": path_of("policy.show", area=name or None),
                "count": None,
                "is_current": name == shown,
            }
            for name, label in (("", "Tenants"), *((name, label) for name, (label, _keys) in AREAS.items()))
        ],
        "general": [_rule(rule) for rule in book.rules.values() if _is_general(book, rule)],
        "actions": [
            _action_rule(book, rule, titles)
            for rule in book.actions.values()
            if _area_of(rule.key) == shown
        ],
        "verbs": [
            {"key": key, "rules": [_rule(r) for r in _rules_about(book, key)], "step_up": book.step_up_minutes(key)}
            for key in sorted({key for rule in book.rules.values() for key in rule.actions} - set(book.actions))
            if _area_of(key) == shown
        ],
        "reasons": [
            {
                "code": r.code,
                "label": r.label,
                "sentence": r.sentence,
                "reference": r.reference_label,
                "example": r.reference_example,
                "minutes": r.lease_minutes,
                "customer": r.customer_notice,
                "effects": [effect.value for effect in Effect if effect in r.effects],
                "needs_note": r.note_required,
            }
            for r in book.reasons.values()
        ],
        "limits": [
            {"label": name.replace("_", " ").capitalize(), "value": getattr(book.limits, name)}
            for name in book.limits.__dataclass_fields__
        ],
    }  # fmt: skip


def _area_of(key: str) -> str:
    return next((name for name, (_label, starts) in AREAS.items() if key.startswith(starts)), "")


def _action_rule(book: PolicyBook, rule: ActionRule, titles: Mapping[str, str]) -> View:
    return {
        "key": rule.key,
        "title": titles.get(rule.key, rule.key),
        "rules": [_rule(r) for r in _rules_about(book, rule.key)],
        "reasons": sorted(rule.reasons),
        "step_up": rule.step_up_minutes,
        "tiers": [
            {"name": name.replace("_", " "), "needs": [group_words(need) for need in needs]}
            for name, needs in rule.tiers.items()
        ],
        "approve_minutes": rule.approve_minutes,
        "execute_minutes": rule.execute_minutes,
        "ceilings": [{"label": name.replace("_", " "), "value": value} for name, value in rule.ceilings.items()],
    }


def _rules_about(book: PolicyBook, key: str) -> list[RuleText]:
    """Return the rules about one action; those about nearly everything stand apart."""
    found = [rule for rule in book.rules.values() if key in rule.actions and not _is_general(book, rule)]
    return sorted(found, key=lambda rule: (not rule.is_permit, rule.id))


def _is_general(book: PolicyBook, rule: RuleText) -> bool:
    return not rule.is_permit and len(rule.actions) >= _MANY_ACTIONS


def _rule(rule: RuleText) -> View:
    return {
        "id": rule.id,
        "sentence": rule.sentence,
        "is_permit": rule.is_permit,
        "file": rule.file,
        "code": rule.deny_code.value if rule.deny_code else "",
        "tier": (rule.tier or "").replace("_", " "),
    }


def _more(body: Mapping[str, Any]) -> list[View]:
    """Return the ways from one entry to those around it."""
    ways = (
        ("Everything of this event", "correlation", body["correlation"]),
        ("Everything by this actor", "actor", body["actor"]["id"]),
        ("Everything about this tenant", "tenant", (body["tenant"] or {}).get("id")),
        ("Everything of this kind", "action", body["action"]),
    )
    return [
        {"label": label, "href": with_query(path_of("trail.index"), {name: value})}
        for label, name, value in ways
        if value
    ]


def _field_groups(body: Mapping[str, object]) -> list[View]:
    """Return the parts of a body as groups of label and text; what is empty is left out."""
    parts = ("actor", "tenant", "reason", "authorisation", "exposure", "request", "facts", "program")
    groups = [
        {"label": "Call" if part == "request" else part.capitalize(), "rows": _rows(body[part])}
        for part in parts
        if body.get(part)
    ]
    targets = body["targets"]
    if isinstance(targets, list) and targets:
        groups.insert(1, {"label": "Targets", "rows": [row for target in targets for row in _rows(target)]})
    rest = {name: value for name, value in body.items() if name not in {*parts, "targets", "changes"}}
    return [{"label": "Entry", "rows": _rows(rest)}, *groups]


def _rows(part: object) -> list[tuple[str, str]]:
    if not isinstance(part, Mapping):
        return []
    return [
        (_LABELS.get(str(name), str(name).replace("_", " ")), _text(value))
        for name, value in part.items()
        if value not in (None, [], {}, "")
    ]


def _text(value: object) -> str:
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _checkpoint(stored: StoredCheckpoint | None) -> View | None:
    if stored is None:
        return None
    return {"size": stored.size, "root": base64.b64encode(stored.root).decode(), "at": stored.at}


def _options(anything: str, names: Iterable[str]) -> Sequence[View]:
    return ({"value": "", "label": anything}, *({"value": name, "label": name} for name in names))


_ACTIONS = _options("Any entry", sorted(CATALOGUE))
_OUTCOMES = _options("Any outcome", (outcome.value for outcome in Outcome))


def _without(form: TrailForm, name: str) -> str:
    return with_query(path_of("trail.index"), {key: value for key, value in form.typed.items() if key != name})


def _is_about_one(offer: Offer) -> bool:
    return any(field.name == "colleague" for field in offer.action.fields) and offer.action.place == "staff"


def _staff_links(offers: list[Offer], staff: str, *, is_active: bool) -> list[View]:
    """Return the actions on one colleague that fit the state of the account."""
    links = []
    for offer in offers:
        action = offer.action
        if action.reach is not Reach.CONTROL or not _is_about_one(offer):
            continue
        if (action.key == "staff.reactivate") == is_active:
            continue
        links.append(
            {
                "label": action.button,
                "icon": action.icon,
                "href": path_of("actions.create_control", key=action.key, colleague=staff),
            }
        )
    return links
