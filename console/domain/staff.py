"""Staff members, the roles they hold, and the actor that one request speaks for."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from console.domain.ids import PersonKey, SessionKey, StaffId


class Role(StrEnum):
    """What a staff member may be; the powers of each stand in policies/."""

    SUPPORT_AGENT = "support_agent"
    SUPPORT_LEAD = "support_lead"
    FINANCE = "finance"
    FINANCE_LEAD = "finance_lead"
    ENGINEER = "engineer"
    ON_CALL = "on_call"
    SECURITY_AUDITOR = "security_auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """Return the role in words."""
        return self.value.replace("_", " ").replace("on call", "on-call").capitalize()


_VENDOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def is_vendor(name: str) -> bool:
    """Return whether a text can name a vendor or contractor group."""
    return _VENDOR.fullmatch(name) is not None


class StaffKind(StrEnum):
    """A person can vote; a service account and the operator at the machine never can."""

    PERSON = "person"
    SERVICE = "service"
    OPERATOR = "operator"


class SignInMethod(StrEnum):
    """How a session began."""

    OIDC = "oidc"
    PASSWORD = "password"  # noqa: S105  a method's name, not a secret
    SHELL = "shell"


class StepUpMethod(StrEnum):
    """How a second factor was shown."""

    TOTP = "totp"
    PASSWORD = "password"  # noqa: S105  a method's name, not a secret
    IDENTITY_PROVIDER = "identity_provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """A person of the company as the control store knows them; `vendor` names the other company that pays them.

    Shape: see Actor for `confirm_after`.
    """

    id: StaffId
    person: PersonKey
    name: str
    email: str
    roles: frozenset[Role]
    kind: StaffKind
    is_active: bool
    created_at: datetime
    last_seen_at: datetime | None = None
    confirm_after: datetime | None = None
    vendor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a call came from, for the record."""

    request_id: str = ""
    route: str = ""
    method: str = ""
    ip: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The staff member that acts now, read from the store for this very request.

    Shape: only a second factor shown after `confirm_after` counts, and without one nothing that needs a reason is done.
    """

    staff: StaffId
    person: PersonKey
    name: str
    email: str
    roles: frozenset[Role]
    kind: StaffKind = StaffKind.PERSON
    session: SessionKey | None = None
    signed_in_by: SignInMethod = SignInMethod.OIDC
    stepped_up_at: datetime | None = None
    stepped_up_by: StepUpMethod | None = None
    confirm_after: datetime | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def must_confirm(self) -> bool:
        """Return whether a signal asked for a second factor that was not shown since."""
        if self.confirm_after is None:
            return False
        return self.stepped_up_at is None or self.stepped_up_at <= self.confirm_after


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSession:
    """One signed-in browser: ended by sign-out, revocation, idling, age or deactivation."""

    key: SessionKey
    staff: StaffId
    signed_in_by: SignInMethod
    created_at: datetime
    last_seen_at: datetime
    not_after: datetime
    stepped_up_at: datetime | None
    stepped_up_by: StepUpMethod | None
    revoked_at: datetime | None
    ip: str
    agent: str
    values: dict[str, object]
    idp_sid: str | None = None

    def ended_because(self, now: datetime, *, idle_minutes: int) -> str | None:
        """Return why the session is over (absolute, idle, revoked), or None while it lives.

        Shape: one that was ended after its clocks had run out is over because of them, whoever wrote it down.
        """
        at = self.revoked_at or now
        if at >= self.not_after or now < self.created_at.replace(microsecond=0):
            return "absolute"
        if (at - self.last_seen_at).total_seconds() >= idle_minutes * 60:
            return "idle"
        return None if self.revoked_at is None else "revoked"
