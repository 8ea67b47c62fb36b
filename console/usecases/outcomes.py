"""What can come of asking for an action; every arm is matched by the edge that shows it."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.changes import Applied, Preview
from console.domain.decisions import Decision, Deny, NeedsStepUp
from console.domain.requests import Request
from console.usecases.parameters import FieldFault


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFields:
    """The form is wrong; nothing was stored."""

    faults: tuple[FieldFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """What would happen, what policy says to it, and the mark to post back with the request.

    Shape: `decision` is the answer as things stand, `beyond` the one after a fresh second factor; `approve_by` is
    how long a request filed now could wait.
    """

    preview: Preview
    decision: Decision
    beyond: Decision
    mark: str
    approve_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """The world moved between what was seen and what is; both are kept."""

    seen: Preview | None
    now: Preview
    mark: str = ""
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The request is filed and waits for others."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingDown:
    """Glass is broken: the request fires by itself unless somebody stops it; `told` people know."""

    request: Request
    told: int
    is_drill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The request was executed, once, just now."""

    request: Request
    applied: Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The execution was tried and did not take place; nothing was changed."""

    request: Request
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """The execution went out to another plane and its outcome is not known yet; recovery asks the plane."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Already:
    """This very form was sent before; here is what came of it."""

    request: Request


Proposal = BadFields | Drifted | Waiting | CountingDown | Ran | Failed | Unsettled | Already | Deny | NeedsStepUp
Execution = Ran | Failed | Unsettled | Drifted | Deny | NeedsStepUp
