"""What an action shows before it runs and reports after: changes, warnings, a fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from console.domain.decisions import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field, before → after, as text a person can read; None means there is nothing."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEffect:
    """What an action does to what a tenant may use: in words, with the moment, and row by row.

    Shape: without rows nothing changes, or nobody can know beforehand what will; the sentence says which.
    """

    sentence: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an action would do, without doing it.

    Shape: `fingerprint` holds the versions of the rows that the changes were derived from; `facts` are what
    policy asks of this action; `sentence` says it in one line; `customer` is what the customer will notice; `access`
    is what it does to what the tenant may use, None only for an action that has nothing to do with access.
    """

    sentence: str
    changes: tuple[Change, ...]
    fingerprint: Mapping[str, str | int]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    customer: str = "Nothing."
    target_type: str = "tenant"
    target_id: str = ""
    access: AccessEffect | None = None

    @property
    def every_change(self) -> tuple[Change, ...]:
        """Return all that changes, the rows of access too: what is bound, compared again, and recorded."""
        rows = () if self.access is None else self.access.changes
        return (*self.changes, *(replace(row, field=f"Access: {row.field}") for row in rows))

    def is_as(self, seen: "Preview") -> bool:
        """Return whether it was derived from the same rows, and would change the same, as what somebody has seen."""
        return (dict(self.fingerprint), self.every_change) == (dict(seen.fingerprint), seen.every_change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an action did. `shown` is revealed once to the person who ran it and never stored.

    Shape: `made` is the id of the thing that came of it and has a page of its own, such as a planned replay.
    """

    sentence: str
    changes: tuple[Change, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    made: str | None = None
