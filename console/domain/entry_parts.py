"""The parts of an entry: who, where, with which permission, upon what, shown how much, by which call."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from console.domain.requests import Vote
from console.domain.staff import Actor, Origin, StaffKind
from console.domain.tenancy import DirectoryRow

_LONGEST_SEEN = 512


class ActorKind(StrEnum):
    """What sort of actor; a customer reads of their own tenant and decides, a stranger has not shown who they are."""

    STAFF = "staff"
    SERVICE = "service"
    OPERATOR = "operator"
    SYSTEM = "system"
    STRANGER = "stranger"
    CUSTOMER = "customer"


_KINDS = {
    StaffKind.PERSON: ActorKind.STAFF,
    StaffKind.SERVICE: ActorKind.SERVICE,
    StaffKind.OPERATOR: ActorKind.OPERATOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRef:
    """Who acted, named as they were then. Units: `step_up_age_s` seconds at the time, None without one."""

    id: str | None
    kind: ActorKind
    name: str
    roles: tuple[str, ...] = ()
    auth: str | None = None
    step_up_age_s: int | None = None
    session: str | None = None

    @classmethod
    def of(cls, actor: Actor, *, at: datetime) -> "ActorRef":
        """Return the actor as they stand at a moment."""
        shown = actor.stepped_up_at
        return cls(
            id=actor.staff,
            kind=_KINDS[actor.kind],
            name=actor.name,
            roles=tuple(sorted(role.value for role in actor.roles)),
            auth=actor.signed_in_by.value,
            step_up_age_s=None if shown is None else max(0, int((at - shown).total_seconds())),
            session=actor.session,
        )


SYSTEM_ACTOR = ActorRef(id=None, kind=ActorKind.SYSTEM, name="Sallyport")
STRANGER = ActorRef(id=None, kind=ActorKind.STRANGER, name="Somebody not signed in")


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRef:
    """Which tenant, named and placed as it was then; `source` says how it was selected (lease, request, directory)."""

    id: str
    name: str
    slug: str
    source: str
    region: str | None = None

    @classmethod
    def of(cls, row: DirectoryRow, *, source: str) -> "TenantRef":
        """Return the tenant of a directory row."""
        return cls(id=row.id, name=row.name, slug=row.slug, source=source, region=row.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRef:
    """A vote that counted: whose, which way, and over which digest."""

    staff: str
    name: str
    verdict: str
    digest: str

    @classmethod
    def of(cls, vote: Vote) -> "VoteRef":
        """Return the part of a vote that proves it."""
        return cls(staff=vote.staff, name=vote.name, verdict=vote.verdict.value, digest=vote.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What policy answered (allow, needs_approval, needs_step_up, deny), by which rules, and who agreed."""

    decision: str
    rules: tuple[str, ...] = ()
    deny_code: str | None = None
    policy_version: str | None = None
    request: str | None = None
    votes: tuple[VoteRef, ...] = ()
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRef:
    """One thing acted upon, with its version before and after."""

    type: str
    id: str
    name: str | None = None
    version_before: int | None = None
    version_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a reader was shown: how many records, and which classes of field in clear."""

    records: int
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRef:
    """The HTTP request, command or job; each text is cut at 512 characters, since strangers choose its length."""

    id: str
    route: str | None = None
    method: str | None = None
    ip: str | None = None
    agent: str | None = None

    def __post_init__(self) -> None:
        """Cut what came from outside."""
        for each in fields(self):
            seen = getattr(self, each.name)
            if seen is not None and len(seen) > _LONGEST_SEEN:
                object.__setattr__(self, each.name, seen[: _LONGEST_SEEN - 1] + "…")

    @classmethod
    def of(cls, origin: Origin) -> "RequestRef":
        """Return the origin of a call; what it does not say is None."""
        return cls(
            id=origin.request_id,
            route=origin.route or None,
            method=origin.method or None,
            ip=origin.ip or None,
            agent=origin.agent or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Which build of Sallyport wrote an entry, and on which machine."""

    build: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Which writer, its how-manieth entry (from 1), and the hex leaf of the one before; None on the first."""

    id: str
    n: int
    prev: str | None
    program: Program | None = None
