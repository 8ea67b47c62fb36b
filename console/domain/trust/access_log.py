"""The customer's access log: what of one tenant's entries its people may read, and in which words.

When a line appears is not decided here: see domain/disclosure.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from console.domain.catalogue import Kind, Outcome
from console.domain.entry_parts import ActorKind

_PEOPLE = frozenset({ActorKind.STAFF.value, ActorKind.SERVICE.value, ActorKind.OPERATOR.value})
_SEEN_KINDS = frozenset({Kind.READ.value, Kind.ACTION.value, Kind.OUTCOME.value})
# Asking, voting and withdrawing reach nothing of a tenant; reading a request does, and is a read.
_PAPERWORK = frozenset({"request", "notice"})
_ENDS = frozenset({"lease.end", "lease.expired", "impersonation.expired"})
# What belongs to the house and not to the tenant, whose ids say nothing to a customer.
_INNER_TARGETS = frozenset(
    {"request", "staff", "job", "route", "action", "session", "lease", "legal_hold", "impersonation"}
)
# Of what lasts for a while only the beginning is told by letter; all of it stands in the log.
_SITTINGS, _BEGINNINGS = frozenset({"lease", "impersonation"}), frozenset({"lease.open", "impersonation.entered"})
_LONGEST_ID = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OUTCOMES = {Outcome.SUCCESS.value: "done", Outcome.FAILED.value: "failed", Outcome.UNKNOWN.value: "unknown"}
_WORDS = {
    "lease.open": "Opened your workspace",
    "lease.end": "Closed your workspace",
    "lease.expired": "Closed your workspace: the time was over",
    "request.previewed": "Looked at what a change would do",
    "request.read": "Read a request for a change",
    "tenant.read": "Read a page of your workspace",
    "trail.read": "Read the record of accesses to your workspace",
    "impersonation.read": "Looked at how one of your members is acted for",
    "impersonation.handed_over": "Went over to the product to act as one of your members",
    "impersonation.entered": "Began to act as one of your members",
    "impersonation.renewed": "Went on acting as one of your members",
    "impersonation.request": "Used the product as one of your members",
    "impersonation.ended": "Stopped acting as one of your members",
    "impersonation.expired": "Stopped acting as one of your members: it was ended",
    "consent.used": "Used the consent that you gave; it permits nothing more",
    "break_glass.begun": "Ran “{title}” in an emergency, before anybody approved it",
    "break_glass.rehearsed": "Rehearsed an emergency; nothing was changed",
    "action.executed": "Ran “{title}”",
    "action.failed": "Tried to run “{title}”; nothing was changed",
    "action.unknown": "Ran “{title}”; whether it took effect is being looked into",
    "provider.written": "Carried “{title}” out at the billing provider",
    "provider.refused": "Could not carry “{title}” out at the billing provider",
    "provider.unsettled": "Asked the billing provider for “{title}”; the answer is being looked into",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessObject:
    """One thing of the tenant that was reached."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLine:
    """One line of the customer's log.

    Shape: `staff` is a pseudonym, the same for the same person within one tenant and another in the next; `country` is
    an ISO 3166 code; `position` is the entry's place in the trail. Units: `minutes` of access given or used.
    """

    at: datetime
    did: str
    reason_code: str | None
    reason: str
    reference: str
    staff: str
    country: str | None
    objects: tuple[AccessObject, ...]
    minutes: int | None
    outcome: str
    entry: str
    position: int | None


def is_access(body: Mapping[str, Any]) -> bool:
    """Return whether an entry tells of a person of ours who reached this tenant; what is unknown counts as one."""
    if body["tenant"] is None or body["outcome"] == Outcome.DENIED or staff_of(body) is None:
        return False
    if body["kind"] not in _SEEN_KINDS:
        return False
    return body["kind"] == Kind.READ or body["class"] not in _PAPERWORK


def is_worth_a_letter(body: Mapping[str, Any]) -> bool:
    """Return whether an access is told by letter: that a workspace was opened, and what was done there."""
    is_deed = body["kind"] != Kind.READ and body["class"] not in _SITTINGS
    return bool(is_deed or body["action"] in _BEGINNINGS)


def staff_of(body: Mapping[str, Any]) -> str | None:
    """Return who reached the tenant: the actor, or whose lease or impersonation something else ended."""
    actor = body["actor"]
    if actor["kind"] in _PEOPLE:
        return actor["id"] or str(actor["kind"])
    owner = (body["facts"] or {}).get("staff") if body["action"] in _ENDS else None
    return owner if isinstance(owner, str) else None


def moment_of(body: Mapping[str, Any]) -> datetime:
    """Return when an entry happened."""
    return _EPOCH + timedelta(microseconds=body["ts_us"])


def reason_of(body: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the reason code that an entry names, if any, and its reference."""
    reason = body["reason"] or {}
    return reason.get("code") or None, reason.get("reference") or ""


def line_of(
    body: Mapping[str, Any],
    *,
    pseudonym: Callable[[str], str],
    country: Callable[[str], str | None],
    labels: Mapping[str, str],
    titles: Mapping[str, str],
    position: int | None,
) -> AccessLine:
    """Return one access in the customer's words; a name, a note or another tenant never comes through.

    Shape: `pseudonym` and `country` take a staff id, `labels` name reason codes, `titles` governed actions.
    """
    staff = staff_of(body) or ""
    code, reference = reason_of(body)
    minutes = (body["facts"] or {}).get("minutes")
    return AccessLine(
        at=moment_of(body),
        did=_did(body, titles),
        reason_code=code,
        reason=labels.get(code, code) if code else "No reason code: work that needs none",
        reference=reference,
        staff=pseudonym(staff),
        country=country(staff),
        objects=tuple(_objects(body)),
        minutes=minutes if isinstance(minutes, int) and not isinstance(minutes, bool) else None,
        outcome=_OUTCOMES.get(body["outcome"], "unknown"),
        entry=body["uid"],
        position=position,
    )


def _did(body: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    known = _WORDS.get(body["action"])
    title = titles.get(body["governed"] or "", "an action")
    if known is not None:
        return known.format(title=title)
    return "Looked at your data" if body["kind"] == Kind.READ else "Worked on your data"


def _objects(body: Mapping[str, Any]) -> list[AccessObject]:
    """Return what of the tenant was reached; the names of things stay here, for people write them."""
    return [
        AccessObject(kind=target["type"], id=target["id"][:_LONGEST_ID])
        for target in body["targets"]
        if target["type"] not in _INNER_TARGETS and target["id"]
    ]
