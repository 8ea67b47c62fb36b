"""Writes docs/refusals.md: every deny code, what it means, what would make it possible, and which rules give it.

Regenerate after a change: `.venv/bin/python -m tests.policy.refusals`.
"""

from pathlib import Path

from console.domain.decisions import DenyCode
from console.policy.book import PolicyBook
from console.policy.load import load_book
from tests.policy.governed import GOVERNED, POLICIES

FILE = POLICIES.parent / "docs" / "refusals.md"

MEANING: dict[DenyCode, tuple[str, str]] = {
    DenyCode.ACTION_CHANGED: ("The action has another version than when it was asked for.", "File the request again."),
    DenyCode.ALREADY_IMPERSONATING: (
        "The person acts for a member already; one at a time is all.",
        "End the running impersonation first.",
    ),
    DenyCode.ALREADY_VOTED: ("This person has voted on this revision.", "Nothing: one vote per person and revision."),
    DenyCode.APPROVER_ADDED_LATE: (
        "The approver got the role after the request was filed.",
        "Somebody who held the role at filing votes, or the request is filed again.",
    ),
    DenyCode.BAD_PARAMETER: ("A parameter does not have the wanted shape.", "Correct the field that the form names."),
    DenyCode.BREAK_GLASS_NOT_ALLOWED: (
        "This action cannot skip its approval, not even in an emergency.",
        "Ask for approval; policies/actions.toml lists the actions that can.",
    ),
    DenyCode.BUDGET_SPENT: (
        "The budget of different tenants or of reveals is spent.",
        "A colleague tops up the tenant budget, or wait for the next hour or day.",
    ),
    DenyCode.CEILING_EXCEEDED: (
        "The size lies above what anybody may approve.",
        "Ask for less; the answer names the ceiling.",
    ),
    DenyCode.DIFF_NOT_SEEN: ("The difference was not shown in its present form.", "Open the request, then vote."),
    DenyCode.DIGEST_MISMATCH: (
        "What is stored no longer matches what was approved.",
        "Nothing: it is tampering or a fault. Tell security; file a new request.",
    ),
    DenyCode.EXPIRED: ("The time to approve or to execute is over.", "File the request again."),
    DenyCode.EXPIRY_TOO_FAR: (
        "The end lies in the past or too far ahead.",
        "Choose an end within the limit that is named.",
    ),
    DenyCode.IMPERSONATION_ENDED: (
        "The impersonation is over; the answer says what ended it.",
        "Start another one, with its own reason, where that is still allowed.",
    ),
    DenyCode.FROZEN: (
        "A freeze lies over the person, their vendor, the tenant or everything.",
        "Somebody lifts the freeze with a second person; reading stays possible.",
    ),
    DenyCode.INTENT_NOT_TYPED: ("The tenant's slug was not typed.", "Type the slug of this tenant, exactly."),
    DenyCode.LEASE_ENDED: ("The lease ended by hand, time, idling, sign-out or revocation.", "Open the tenant again."),
    DenyCode.MEMBER_IS_STAFF: (
        "The member's address is a staff member's, for whom nobody acts.",
        "Choose another member of the tenant.",
    ),
    DenyCode.MINUTES_ABOVE_LIMIT: (
        "The lease would last longer than its reason permits, or the impersonation longer than the limit.",
        "Ask for fewer minutes.",
    ),
    DenyCode.NOBODY_TOLD: (
        "Nobody could be told of a use of break-glass.",
        "An administrator gives somebody the role of an approver or a security auditor.",
    ),
    DenyCode.NOTE_MISSING: ("This reason needs a note.", "Say in the note what happened."),
    DenyCode.NOTE_TOO_LONG: ("The note is too long.", "Shorten it."),
    DenyCode.NOT_AN_APPROVER: (
        "The person holds no role whose approval this request needs.",
        "Somebody of the groups that the request page names votes.",
    ),
    DenyCode.NOT_YOURS: (
        "The lease, session, request or impersonation belongs to somebody else.",
        "Its owner does it.",
    ),
    DenyCode.NO_LEASE: ("No tenant is open.", "Open the tenant with a reason."),
    DenyCode.OWN_REVIEW: ("Whoever acted never judges it.", "Another lead or security auditor decides."),
    DenyCode.POLICY_ERROR: (
        "A rule failed, or the question does not fit the schema; then nothing is allowed.",
        "The operator mends it: `sallyport policy explain` shows the error.",
    ),
    DenyCode.PRECONDITION_STALE: ("The data changed after the preview.", "Look at the new difference and file again."),
    DenyCode.QUORUM_IMPOSSIBLE: (
        "There are not enough eligible people besides the requester.",
        "An administrator gives the role to somebody, then the request is filed again.",
    ),
    DenyCode.REASON_NOT_ACCEPTED: (
        "The reason code does not justify this action, or not for this role.",
        "Give one of the reasons that the answer names.",
    ),
    DenyCode.REASON_UNKNOWN: ("There is no such reason code.", "Choose one from the list."),
    DenyCode.REFERENCE_CLOSED: (
        "The referenced ticket, incident or contract is closed.",
        "Reopen it, or give an open one.",
    ),
    DenyCode.REFERENCE_FOREIGN: ("The reference belongs to another tenant.", "Check tenant and number."),
    DenyCode.REFERENCE_MALFORMED: ("The reference does not have the form its code demands.", "Follow the example."),
    DenyCode.REFERENCE_MISSING: ("The reference is empty.", "Give the ticket, invoice, incident or contract."),
    DenyCode.REFERENCE_UNKNOWN: ("The ticket system does not know the reference.", "Check the number."),
    DenyCode.REFERENCE_UNVOUCHED: (
        "The ticket system does not say that the incident is open and names this tenant.",
        "Give an open incident that names this tenant.",
    ),
    DenyCode.REVIEWER_APPROVED: (
        "Whoever approved it never judges it.",
        "A lead or security auditor who had no part in it decides.",
    ),
    DenyCode.REVIEWER_GAINS: (
        "Whoever gains by it never judges it.",
        "A lead or security auditor who had no part in it decides.",
    ),
    DenyCode.REVIEW_OWED: (
        "The person's last use of break-glass was not reviewed yet.",
        "Somebody else reviews it; until then a colleague acts.",
    ),
    DenyCode.ROLE_MISSING: (
        "No rule permits it to any role that the person holds, or one of their roles rules it out.",
        "Somebody with a role that the answer names does it.",
    ),
    DenyCode.SELF_APPROVAL: ("The person drafted or submitted the request.", "Another person votes."),
    DenyCode.SELF_TARGET: ("The action aims at the person who asks.", "A colleague does it."),
    DenyCode.SERVICE_ACCOUNT: ("Only a natural person can do this.", "A staff member signs in and does it."),
    DenyCode.SIGN_IN_REFUSED: (
        "The sign-in was refused.",
        "Try again with the right credentials, or ask an administrator.",
    ),
    DenyCode.STAFF_INACTIVE: ("The account is deactivated.", "An administrator reactivates it with a second person."),
    DenyCode.STALE_DIGEST: ("The vote was for an older form of the request.", "Look at the new difference, then vote."),
    DenyCode.TENANT_OPTED_OUT: (
        "The tenant does not let staff act for its members.",
        "Ask the customer to do it themselves, or to allow it.",
    ),
    DenyCode.THROTTLED: ("Too many tries in a short time.", "Wait; the answer says how long."),
    DenyCode.TOO_MANY_LEASES: ("Too many tenants are open at once.", "End one of the leases."),
    DenyCode.UNKNOWN_ACTION: ("There is no such action.", "Choose an action that the page offers."),
    DenyCode.UNKNOWN_TENANT: ("There is no such tenant.", "Search for it in the directory."),
    DenyCode.WRONG_STATE: (
        "The request is in a state that does not allow this.",
        "The page names what its state allows.",
    ),
    DenyCode.WRONG_TENANT: ("The lease that is open belongs to another tenant.", "Switch: a new lease, a new reason."),
}


def drawn(book: PolicyBook) -> str:
    """Return the page."""
    lines = [
        "# Refusals",
        "",
        "Every refusal carries one of these codes; they never change their meaning. Where a rule of `policies/`",
        "gives it, the rule is named; the refusal itself names the rule, its sentence and the way out. Codes without",
        "a rule come from the state of things (a clock, a digest, a ticket system) or from the form.",
        "",
        "Written by `.venv/bin/python -m tests.policy.refusals`; a test fails when it is out of date.",
        "",
        "| code | what it means | what would make it possible | rules |",
        "|---|---|---|---|",
    ]
    for code in sorted(DenyCode):
        meaning, way_out = MEANING[code]
        rules = ", ".join(f"`{rule.id}`" for rule in book.rules.values() if rule.deny_code is code)
        lines.append(f"| `{code}` | {meaning} | {way_out} | {rules or '-'} |")
    return "\n".join(lines) + "\n"


def main(file: Path = FILE) -> None:
    """Write the page."""
    file.write_text(drawn(load_book(POLICIES, GOVERNED)), encoding="utf-8")


if __name__ == "__main__":
    main()
