"""The words for codes, states and methods that pages show, and what a browser calls itself."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from console.domain.decisions import DenyCode
from console.domain.impersonations import Mode
from console.domain.staff import Role, SignInMethod, StepUpMethod

SIGNED_IN_BY: Mapping[SignInMethod, str] = MappingProxyType(
    {
        SignInMethod.OIDC: "company account",
        SignInMethod.PASSWORD: "password and one-time code",
        SignInMethod.SHELL: "the operator's shell",
    }
)
STEPPED_UP_BY: Mapping[StepUpMethod, str] = MappingProxyType(
    {
        StepUpMethod.TOTP: "one-time code",
        StepUpMethod.PASSWORD: "password",
        StepUpMethod.IDENTITY_PROVIDER: "company account",
    }
)
SESSION_OVER: Mapping[str, str] = MappingProxyType(
    {
        "idle": "You were signed out because nothing was opened for a while.",
        "absolute": "You were signed out because a session lasts one working day at most.",
        "revoked": "This session was ended.",
        "deactivated": "This account can no longer sign in.",
    }
)
MODES: Mapping[Mode, str] = MappingProxyType({Mode.READ: "reading only", Mode.WRITE: "reading and writing"})
REFUSED: Mapping[DenyCode, str] = MappingProxyType(
    {
        DenyCode.ACTION_CHANGED: "The action works differently now than when this was asked for.",
        DenyCode.ALREADY_IMPERSONATING: "You act for a member already.",
        DenyCode.ALREADY_VOTED: "You have voted on this already.",
        DenyCode.APPROVER_ADDED_LATE: "You became an approver only after this was asked for.",
        DenyCode.BAD_PARAMETER: "A field is wrong.",
        DenyCode.BUDGET_SPENT: "You have opened as many different tenants as a person may.",
        DenyCode.CEILING_EXCEEDED: "That is more than this action may do.",
        DenyCode.DIFF_NOT_SEEN: "You have not seen what this changes.",
        DenyCode.DIGEST_MISMATCH: "What is stored is not what was agreed to.",
        DenyCode.EXPIRED: "The time for this has run out.",
        DenyCode.EXPIRY_TOO_FAR: "That ends too far in the future.",
        DenyCode.IMPERSONATION_ENDED: "This impersonation is over.",
        DenyCode.LEASE_ENDED: "Your lease on this tenant has ended.",
        DenyCode.MEMBER_IS_STAFF: "Nobody acts for a colleague.",
        DenyCode.MINUTES_ABOVE_LIMIT: "That is longer than this reason allows.",
        DenyCode.NO_LEASE: "This tenant is not open.",
        DenyCode.NOT_AN_APPROVER: "You are not among the approvers of this.",
        DenyCode.NOT_YOURS: "There is no such thing of yours.",
        DenyCode.NOTE_MISSING: "A note is missing.",
        DenyCode.NOTE_TOO_LONG: "The note is too long.",
        DenyCode.POLICY_ERROR: "A rule could not be evaluated, and then nothing is allowed.",
        DenyCode.PRECONDITION_STALE: "The data has changed since this was previewed.",
        DenyCode.QUORUM_IMPOSSIBLE: "There are not enough people who could approve this.",
        DenyCode.REASON_NOT_ACCEPTED: "This reason is not accepted here.",
        DenyCode.REASON_UNKNOWN: "There is no such reason code.",
        DenyCode.REFERENCE_CLOSED: "The reference is closed.",
        DenyCode.REFERENCE_FOREIGN: "The reference belongs to another tenant.",
        DenyCode.REFERENCE_MALFORMED: "The reference does not look right.",
        DenyCode.REFERENCE_MISSING: "A reference is missing.",
        DenyCode.REFERENCE_UNKNOWN: "There is no such reference.",
        DenyCode.ROLE_MISSING: "None of your roles permits this.",
        DenyCode.SELF_APPROVAL: "Nobody approves their own request.",
        DenyCode.SELF_TARGET: "Nobody does this to themselves.",
        DenyCode.SERVICE_ACCOUNT: "A service account cannot do this.",
        DenyCode.SIGN_IN_REFUSED: "Sign-in was refused.",
        DenyCode.STALE_DIGEST: "This was revised while you were looking at it.",
        DenyCode.STAFF_INACTIVE: "This account is switched off.",
        DenyCode.TENANT_OPTED_OUT: "This tenant does not let staff act for its members.",
        DenyCode.THROTTLED: "That was too often.",
        DenyCode.TOO_MANY_LEASES: "You have as many tenants open as a person may.",
        DenyCode.UNKNOWN_ACTION: "There is no such action.",
        DenyCode.UNKNOWN_TENANT: "There is no such tenant.",
        DenyCode.WRONG_STATE: "This is no longer possible in the present state.",
        DenyCode.WRONG_TENANT: "This belongs to another tenant than the one that is open.",
    }
)
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"[A-Za-z0-9._-]{1,40}")


def device(agent: str) -> str:
    """Return what a browser says it is, in two or three words."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    program = _PROGRAM.match(agent)
    return browser or system or (program[0] if program else "A program that does not say what it is")


def initials(name: str) -> str:
    """Return up to two letters for a person's avatar."""
    words = [word for word in name.split() if word[:1].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper() or "?"


def roles(held: frozenset[Role]) -> list[str]:
    """Return the labels of roles, in the order in which the roles are defined."""
    return [role.label for role in Role if role in held]
