"""The only table code -> status -> sentence: refusals, broken expectations, and what is wrong with a message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, SecurityError, Unauthorized

from console.domain.decisions import DenyCode
from console.domain.errors import ConsoleError

_NOTHING = "Nothing was changed."

# A refusal of policy or of the state of things. What is not yours, or not open, looks as if it were not there.
STATUS: Mapping[DenyCode, int] = MappingProxyType(
    {
        **dict.fromkeys((DenyCode.SIGN_IN_REFUSED,), 401),
        **dict.fromkeys(
            (
                DenyCode.APPROVER_ADDED_LATE, DenyCode.BREAK_GLASS_NOT_ALLOWED, DenyCode.CEILING_EXCEEDED,
                DenyCode.NOBODY_TOLD, DenyCode.OWN_REVIEW, DenyCode.REVIEW_OWED,
                DenyCode.REVIEWER_APPROVED, DenyCode.REVIEWER_GAINS, DenyCode.NOT_AN_APPROVER,
                DenyCode.POLICY_ERROR, DenyCode.QUORUM_IMPOSSIBLE, DenyCode.ROLE_MISSING, DenyCode.SELF_APPROVAL,
                DenyCode.SELF_TARGET, DenyCode.SERVICE_ACCOUNT, DenyCode.STAFF_INACTIVE,
                DenyCode.MEMBER_IS_STAFF, DenyCode.TENANT_OPTED_OUT,
            ),
            403,
        ),
        **dict.fromkeys(
            (
                DenyCode.LEASE_ENDED, DenyCode.NO_LEASE, DenyCode.NOT_YOURS, DenyCode.UNKNOWN_ACTION,
                DenyCode.UNKNOWN_TENANT, DenyCode.WRONG_TENANT,
            ),
            404,
        ),
        **dict.fromkeys(
            (
                DenyCode.ACTION_CHANGED, DenyCode.ALREADY_IMPERSONATING, DenyCode.ALREADY_VOTED,
                DenyCode.DIFF_NOT_SEEN, DenyCode.DIGEST_MISMATCH, DenyCode.EXPIRED, DenyCode.FROZEN,
                DenyCode.IMPERSONATION_ENDED,
                DenyCode.PRECONDITION_STALE, DenyCode.STALE_DIGEST,
                DenyCode.TOO_MANY_LEASES, DenyCode.WRONG_STATE,
            ),
            409,
        ),
        **dict.fromkeys(
            (
                DenyCode.BAD_PARAMETER, DenyCode.EXPIRY_TOO_FAR, DenyCode.MINUTES_ABOVE_LIMIT, DenyCode.NOTE_MISSING,
                DenyCode.NOTE_TOO_LONG, DenyCode.REASON_NOT_ACCEPTED, DenyCode.REASON_UNKNOWN,
                DenyCode.INTENT_NOT_TYPED, DenyCode.REFERENCE_CLOSED, DenyCode.REFERENCE_UNVOUCHED,
                DenyCode.REFERENCE_FOREIGN, DenyCode.REFERENCE_MALFORMED, DenyCode.REFERENCE_MISSING,
                DenyCode.REFERENCE_UNKNOWN,
            ),
            422,
        ),
        **dict.fromkeys((DenyCode.BUDGET_SPENT, DenyCode.THROTTLED), 429),
    }
)  # fmt: skip
STEP_UP_STATUS = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """An answer that is neither a page nor a refusal of policy: what happened, what was not changed, what to do."""

    status: int
    code: str
    title: str
    happened: str
    remedy: str = ""
    unchanged: str = _NOTHING


class StrangerError(Unauthorized):
    """A page behind the gate was asked for without a live session."""


class CrossSiteError(Forbidden):
    """Another site made the browser send this."""


class MalformedError(BadRequest):
    """The message tries to be something else than it is; `description` is a sentence."""


_MISHAPS: Mapping[str, Mishap] = MappingProxyType(
    {
        mishap.code: mishap
        for mishap in (
            Mishap(status=401, code="not_signed_in", title="Sign in first",
                   happened="This page is for signed-in staff.",
                   remedy="Sign in; you come back to where you were."),
            Mishap(status=403, code="cross_site", title="Sent by another site",
                   happened="Another site made your browser send this, so it was not believed.",
                   remedy="Open the console yourself and do it from there."),
            Mishap(status=400, code="form_not_ours", title="This form is not good any more",
                   happened="The form was not made for this session, or you have signed in or out since it was opened.",
                   remedy="Go back, reload the page, and send it again."),
            Mishap(status=400, code="foreign_host", title="Wrong address",
                   happened="The console does not answer under this host name.",
                   remedy="Use the address that your company gave you."),
            Mishap(status=400, code="bad_request", title="Not understood", happened="The message could not be read.",
                   remedy="Go back and try again."),
            Mishap(status=404, code="not_found", title="Nothing here",
                   happened="There is no such page, or it is not yours to see.",
                   remedy="Check the address, or search for the tenant."),
            Mishap(status=405, code="method_not_allowed", title="Not like this",
                   happened="This address does not take that kind of message.", remedy="Use the page's own buttons."),
            Mishap(status=409, code="conflict", title="Somebody was faster",
                   happened="The thing is no longer in the state that you saw.",
                   remedy="Reload the page and look again."),
            Mishap(status=413, code="too_large", title="Too large",
                   happened="The message is larger than any form of this console.", remedy="Shorten the text."),
            Mishap(status=422, code="bad_value", title="A value is wrong", happened="A value does not fit.",
                   remedy="Go back and mend it."),
            Mishap(status=503, code="unavailable", title="Not possible at the moment",
                   happened="Something that the console needs does not answer.",
                   remedy="Wait a moment and try again; nothing has to be repaired by you."),
            Mishap(status=503, code="trail_unavailable", title="Not possible at the moment",
                   happened="What you asked for could not be recorded, and what is not recorded is not done.",
                   remedy="Wait a moment and try again; if it lasts, tell the operator."),
            Mishap(status=503, code="uncertain", title="Look before you try again",
                   happened="Something that the console needs stopped answering in the middle.",
                   unchanged="What you asked for may have been done.",
                   remedy="Wait a moment and look at it again; a form that is sent twice counts once."),
            Mishap(status=500, code="bug", title="A fault of the console",
                   happened="The console came upon something that it does not understand.",
                   unchanged="What was under way was taken back; an action that had begun is settled by its record.",
                   remedy="Tell the operator the id of the call, which stands below."),
        )
    }
)  # fmt: skip
_HTTP = {400: "bad_request", 401: "not_signed_in", 403: "cross_site", 404: "not_found", 405: "method_not_allowed",
         409: "conflict", 413: "too_large", 414: "too_large", 415: "bad_request", 422: "bad_value", 431: "too_large",
         503: "unavailable"}  # fmt: skip
_CONSOLE = {"outside_error": "unavailable", "outcome_uncertain": "uncertain", "trail_unavailable": "trail_unavailable",
            "not_found": "not_found", "scope_violated": "not_found", "conflict": "conflict",
            "bad_value": "bad_value"}  # fmt: skip
_TOLD = frozenset({"not_found", "conflict", "bad_value", "uncertain"})  # their sentences are meant for people


def of_code(code: str) -> Mishap:
    """Return a line of the table."""
    return _MISHAPS[code]


def of_http(error: HTTPException) -> Mishap:
    """Return what an HTTP error means here; werkzeug's own sentences are not shown."""
    if isinstance(error, SecurityError):
        return _MISHAPS["foreign_host"]
    if isinstance(error, MalformedError):
        return _said("bad_request", str(error.description))
    return _MISHAPS[_HTTP.get(error.code or 500, "bug" if (error.code or 500) >= 500 else "bad_request")]


def of_console(error: ConsoleError) -> Mishap:
    """Return what a broken expectation means here; only sentences meant for people are shown."""
    known = _CONSOLE.get(error.code, "bug")
    if known in _TOLD and error.code != "scope_violated" and " " in str(error):
        return _said(known, str(error))
    return _MISHAPS[known]


def _said(code: str, sentence: str) -> Mishap:
    known = _MISHAPS[code]
    return replace(known, happened=sentence)
