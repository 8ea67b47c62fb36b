"""How far a resync of many objects has come: plain values that ride in the arguments of its next job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind

JOB = "billing.resync"
STOP_JOB = "billing.resync_stop"
QUEUE = "billing"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Count(StrEnum):
    """What a resync counts of the provider's objects."""

    WRITTEN = "written"
    FRESHER = "fresher"  # the mirror had heard of it later
    DELETED = "deleted"  # the provider has it no more
    DOUBTFUL = "doubtful"  # the provider has it no more, nor its customer: another account may be asked
    LEFT = "left"  # more is gone than one resync may mark
    UNMAPPED = "unmapped"  # its customer is no tenant's
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a resync stands.

    Shape: `resync` names it for ever; `kind` None means that every list is read to its end and what none of them named
    is asked for one by one, tenant by tenant where all are resynced (`tenant` is the last one done); `after` is where
    the next page goes on; `since` bounds what is asked for.
    """

    resync: str
    step: int = 0
    since: datetime | None = None
    began_at: datetime | None = None
    kind: ObjectKind | None = OF_CUSTOMERS[0]
    customer: str | None = None
    after: str | None = None
    tenant: str | None = None
    pages: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def counted(self, what: Count, many: int = 1) -> "Progress":
        """Return the same with more of something."""
        if many == 0:
            return self
        return replace(self, counts={**self.counts, what.value: self.counts.get(what.value, 0) + many})

    def payload(self) -> dict[str, Any]:
        """Return the arguments of the job that goes on from here."""
        return {
            "resync": self.resync,
            "step": self.step,
            "since": _micros(self.since),
            "began_at": _micros(self.began_at),
            "kind": None if self.kind is None else self.kind.value,
            "customer": self.customer,
            "after": self.after,
            "tenant": self.tenant,
            "pages": self.pages,
            "counts": dict(self.counts),
        }

    def sentence(self) -> str:
        """Return how far it has come, in one line."""
        what = "objects that are listed no more" if self.kind is None else f"{self.kind.value.replace('_', ' ')}s"
        told = ", ".join(f"{many:,} {name}" for name, many in sorted(self.counts.items())) or "nothing yet"
        return f"At {what} after {self.pages:,} pages: {told}."


def progress_of(payload: Mapping[str, Any]) -> Progress:
    """Return the progress that a job carries."""
    kind = payload.get("kind")
    return Progress(
        resync=str(payload["resync"]),
        step=int(payload["step"]),
        since=_moment(payload.get("since")),
        began_at=_moment(payload.get("began_at")),
        kind=None if kind is None else ObjectKind(kind),
        customer=payload.get("customer"),
        after=payload.get("after"),
        tenant=payload.get("tenant"),
        pages=int(payload.get("pages", 0)),
        counts={str(name): int(many) for name, many in dict(payload.get("counts", {})).items()},
    )


def key_of(resync: str, step: int) -> str:
    """Return the key of one job of a resync: none is ever queued twice."""
    return f"{JOB}:{resync}:{step}"


def stop_key(resync: str) -> str:
    """Return the key under which somebody asks a resync to stop."""
    return f"{STOP_JOB}:{resync}"


def following(progress: Progress, customers: Sequence[str] | None) -> Progress:
    """Return where to go on when a list has been read to its end.

    Shape: `customers` are a tenant's, in order: each kind is asked for of each; None means of everybody at once.
    """
    later = () if customers is None or progress.customer is None else [c for c in customers if c > progress.customer]
    if later:
        return replace(progress, customer=later[0], after=None)
    place = OF_CUSTOMERS.index(progress.kind) + 1 if progress.kind is not None else len(OF_CUSTOMERS)
    kind = OF_CUSTOMERS[place] if place < len(OF_CUSTOMERS) else None
    return replace(progress, kind=kind, customer=customers[0] if customers else None, after=None)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment(micros: object) -> datetime | None:
    return _EPOCH + micros * _MICROSECOND if isinstance(micros, int) else None
