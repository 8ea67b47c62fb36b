"""Row 34: events that never came, that wait, that failed, that were not signed, or that nobody understands."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.domain.reconciling.books import AccountBooks, InboxState
from console.domain.reconciling.findings import Candidate
from console.domain.reconciling.reading import moment

_STUCK_AFTER = timedelta(hours=1)
_TIMES_USUAL = 5
_FEWEST = 10
_INBOX = "inbox"


def find(books: AccountBooks) -> Iterator[Candidate]:
    """Yield what is wrong with the events of the provider."""
    for event in sorted(set(books.missing_events)):
        yield Candidate(
            kind="event_gap",
            tenant=None,
            objects=(event,),
            ours="never seen",
            theirs="made by the provider",
            evidence={"event": event},
        )
    if books.inbox is not None:
        yield from _of_inbox(books.inbox, now=books.now)


def _of_inbox(inbox: InboxState, *, now: datetime) -> Iterator[Candidate]:
    since = inbox.oldest_received_at
    if since is not None and now - since > _STUCK_AFTER:  # since when, not how long: every run says the same
        yield _finding("event_stuck", f"waiting since {moment(since)}", "within an hour")
    if inbox.failed > 0:
        yield _finding("event_failed", f"{inbox.failed} failed", "none")
    usual = inbox.usual_bad_signatures
    if inbox.bad_signatures > max(_FEWEST, _TIMES_USUAL * usual):
        yield _finding("signature_failures", f"{inbox.bad_signatures} in a day", f"usually {usual}")
    for name, count in sorted(inbox.unknown_types.items()):
        yield _finding("unknown_event_type", f"{count} in a day", "understood", name)


def _finding(kind: str, ours: str, theirs: str, name: str = _INBOX) -> Candidate:
    return Candidate(kind=kind, tenant=None, objects=(name,), ours=ours, theirs=theirs)
