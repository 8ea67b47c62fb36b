"""The small forms on the page of a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.ids import Digest
from console.domain.requests import Verdict
from console.web.forms.posted import Sent, unknown_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteForm:
    """A verdict on the digest that was shown; `verdict` is None when it is neither of the two."""

    verdict: Verdict | None
    digest: Digest
    comment: str
    faults: Mapping[str, str]


def read_vote(sent: Sent) -> VoteForm:
    """Return what was posted."""
    faults = dict(unknown_fields(sent, ("verdict", "digest", "comment")))
    typed = sent.get("verdict", "")
    verdict = Verdict(typed) if typed in set(Verdict) else None
    comment = sent.get("comment", "").strip()
    if verdict is None:
        faults["verdict"] = "Approve or reject."
    if verdict is Verdict.REJECT and not comment:
        faults["comment"] = "Say why you reject, so that the requester can mend it."
    return VoteForm(verdict=verdict, digest=Digest(sent.get("digest", "")), comment=comment, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class BecauseForm:
    """One sentence that says why."""

    because: str
    faults: Mapping[str, str]


def read_because(sent: Sent) -> BecauseForm:
    """Return what was posted."""
    faults = dict(unknown_fields(sent, ("because",)))
    because = sent.get("because", "").strip()
    if not because:
        faults["because"] = "Say why the approval is taken back."
    return BecauseForm(because=because, faults=faults)
