"""The plug-in point: what a governed action is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.domain.tenancy import DirectoryRow
from console.ports.action_tools import Tools

P = TypeVar("P")


class Reach(StrEnum):
    """Which data an action may touch."""

    TENANT = "tenant"
    CONTROL = "control"


class Landing(StrEnum):
    """Where the effect of a TENANT action lands, and what of the tenant it is given.

    What lands in the books is one transaction with its entry, on whatever plane the tenant lies.
    """

    PLANE = "plane"  # it writes the tenant's plane
    BOOKS = "books"  # it writes the books of the control store, and reads the plane
    BOOKS_ALONE = "books_alone"  # it writes the books, and gets no plane at all


class Input(StrEnum):
    """How a parameter is asked for."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DATE = "date"
    CHOICE = "choice"
    STAFF = "staff"
    ROLES = "roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamField:
    """One parameter: how it is named, asked for and bounded.

    Shape: values arrive as text; INTEGER becomes int, DATE a `date`, ROLES a sorted tuple of names, others str.
    Units: `unit` is shown beside the field; `least` and `most` bound integers and lengths of text.
    """

    name: str
    label: str
    input: Input
    help: str = ""
    unit: str = ""
    least: int | None = None
    most: int | None = None
    pattern: str | None = None
    pattern_example: str = ""
    is_required: bool = True
    is_fixed_by_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a CHOICE field, and what holds now if it is chosen."""

    value: str
    label: str
    current: str = ""


class Fault(Exception):  # noqa: N818  it is a wrong field, not a failure
    """A parameter is wrong in the light of the data: which field, and the remedy."""

    def __init__(self, field: str, remedy: str) -> None:
        """Name the field and what to do."""
        super().__init__(remedy)
        self.field = field
        self.remedy = remedy


def no_choices(_field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return no options; the default of actions without CHOICE fields."""
    return ()


def no_current(_params: Mapping[str, str], _tools: Tools) -> Mapping[str, str]:
    """Return no current values; the default of actions that show none."""
    return {}


def no_jobs(_params: object, _execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return no jobs; the default of actions that are over when they are applied."""
    return ()


def nothing_alone(_params: object) -> str | None:
    """Return None; the default of actions that may run beside any other."""
    return None


def fits_any(_row: DirectoryRow) -> bool:
    """Return True; the default of actions that make sense for every tenant."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[P]):
    """A governed action: what it takes, shows and does. It never decides, never records.

    Shape: `key` is `noun.verb`; `version` grows whenever preview or apply change their meaning; `build` makes the typed
    parameters from parsed values and raises Fault; `preview` must not change anything and raises Fault; `apply` raises
    Fault when the world no longer fits; `units` names the unit of a field as the form stands; `fits` says for which
    tenants, as the directory knows them, it is offered at all, and `is_beside_its_thing` that it is offered only on the
    page of its `place`, where what it acts on is seen; `follow_up` names, from the frozen parameters alone, the jobs
    that the executor queues in the transaction of the outcome (recovery asks it too); `exclusive` names what no two
    executions may be at in the same moment, on whatever planes: the executor holds it from start to end of one, so
    that `apply` reads what the one before left behind; `budget` names a counter: policy gets the fact
    `<budget>_last_hour`, and every execution adds one; `moves_access` says that it changes what decides the tenant's
    access, so that the executor brings the stored effective set up to date in the same transaction; `lands`
    says of a TENANT action whether it writes the tenant or the books.
    """

    key: ActionKey
    version: int
    title: str
    button: str
    icon: str
    effect: Effect
    reach: Reach
    fields: tuple[ParamField, ...]
    build: Callable[[Mapping[str, Any]], P]
    preview: Callable[[P, Tools], Preview]
    apply: Callable[[P, Tools], Applied]
    documentation: str
    customer_sees: str
    choices: Callable[[str, Tools], tuple[Choice, ...]] = no_choices
    current: Callable[[Mapping[str, str], Tools], Mapping[str, str]] = no_current
    units: Callable[[Mapping[str, str], Tools], Mapping[str, str]] = no_current
    fits: Callable[[DirectoryRow], bool] = fits_any
    place: str = "workspace"
    is_beside_its_thing: bool = False
    follow_up: Callable[[P, ExecutionId], tuple[JobDraft, ...]] = no_jobs
    exclusive: Callable[[P], str | None] = nothing_alone
    budget: str | None = None
    touches_directory: bool = False
    moves_access: bool = False
    lands: Landing = Landing.PLANE
    undo: ActionKey | None = None
