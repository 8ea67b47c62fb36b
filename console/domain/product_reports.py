"""What the product tells of its side: each request that was made in a member's name, and what ends impersonations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from console.domain.errors import BadValueError
from console.domain.ids import ImpersonationId

W = TypeVar("W", bound=StrEnum)

MOST_REPORTS = 500
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_EXTERNAL = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,64}")
_METHOD = re.compile(r"[A-Z]{1,16}")
_CODE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_ROUTE = re.compile(r"/[\x21-\x7e]{0,199}")
_RAW = re.compile(r"[0-9]+|.*[@?#%].*|[0-9a-fA-F-]{16,}")  # what a path holds, and a pattern never
_STATUSES = range(100, 600)
_YEARS = range(1970, 9999)  # beyond, a zone or an hour more leads to a moment that nobody can show


class ReportedEffect(StrEnum):
    """What the product declares a route to do; `never` is refused in a member's name whatever the mode."""

    READ = "read"
    WRITE = "write"
    NEVER = "never"


class ReportedOutcome(StrEnum):
    """Whether the product did it."""

    DONE = "done"
    REFUSED = "refused"


class EventKind(StrEnum):
    """What the product says of a member."""

    PASSWORD_RESET = "member.password_reset"  # noqa: S105  an event's name, not a secret
    DELETED = "member.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One request that the product served or refused in a member's name. Shape: `route` is a pattern, never a path."""

    id: str
    sid: ImpersonationId
    at: datetime
    method: str
    route: str
    effect: ReportedEffect
    outcome: ReportedOutcome
    status: int
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent:
    """Something that happened to a member. Shape: `tenant` and `member` as the product knows them."""

    id: str
    kind: EventKind
    tenant: str
    member: str
    at: datetime


class ReportFaultError(BadValueError):
    """A report or an event cannot be read; the sentence names the field."""

    code = "report_fault"


def report_of(plain: object) -> Report:
    """Return a report as it was sent. Raises: ReportFaultError."""
    fields = _fields(plain, ("id", "sid", "at", "method", "route", "effect", "outcome", "status"), ("code",))
    code = fields.get("code")
    route = _text(fields, "route", _ROUTE)
    if any(_RAW.fullmatch(part) for part in route.split("/")):
        raise ReportFaultError("route: give the pattern of the route, never the path that was asked for.")
    status = fields["status"]
    if type(status) is not int or status not in _STATUSES:
        raise ReportFaultError("status: give the status of the answer, 100 to 599.")
    return Report(
        id=_text(fields, "id", _ID),
        sid=ImpersonationId(_text(fields, "sid", _ID)),
        at=_moment(fields),
        method=_text(fields, "method", _METHOD),
        route=route,
        effect=_one_of(fields, "effect", ReportedEffect),
        outcome=_one_of(fields, "outcome", ReportedOutcome),
        status=status,
        code=None if code is None else _text(fields, "code", _CODE),
    )


def event_of(plain: object) -> ProductEvent:
    """Return an event as it was sent. Raises: ReportFaultError."""
    fields = _fields(plain, ("id", "kind", "tenant", "member", "at"), ())
    return ProductEvent(
        id=_text(fields, "id", _ID),
        kind=_one_of(fields, "kind", EventKind),
        tenant=_text(fields, "tenant", _EXTERNAL),
        member=_text(fields, "member", _EXTERNAL),
        at=_moment(fields),
    )


def _fields(plain: object, needed: tuple[str, ...], also: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(plain, dict):
        raise ReportFaultError("each one is an object.")
    unknown = sorted(set(plain) - {*needed, *also})
    if unknown:
        raise ReportFaultError(f"{str(unknown[0])[:40]}: there is no such field.")
    missing = [name for name in needed if name not in plain]
    if missing:
        raise ReportFaultError(f"{missing[0]}: is missing.")
    return plain


def _text(fields: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    value = fields[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ReportFaultError(f"{name}: does not have the wanted form.")
    return value


def _one_of(fields: Mapping[str, object], name: str, words: type[W]) -> W:
    value = fields[name]
    if not isinstance(value, str) or value not in set(words):
        raise ReportFaultError(f"{name}: give one of {', '.join(sorted(words))}.")
    return words(value)


def _moment(fields: Mapping[str, object]) -> datetime:
    value = fields["at"]
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        is_moment = found is not None and found.tzinfo is not None and found.astimezone(UTC).year in _YEARS
    except (ValueError, OverflowError):
        found, is_moment = None, False
    if found is None or not is_moment:
        raise ReportFaultError("at: give a moment with its zone, as in 2026-11-29T18:30:00Z.")
    return found
