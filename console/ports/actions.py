"""The plug-in point: what a governed action is, and the tools that it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from console.domain.changes import Applied, Preview
from console.domain.freezes import Freeze, Stopped
from console.domain.ids import ActionKey, ExecutionId, MemberId, RequestId, StaffId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect, Reason
from console.domain.requests import Vote
from console.domain.signals import Signal
from console.domain.tenancy import DirectoryRow
from console.ports.access_policies import AccessPolicyBook
from console.ports.billing import BillingProvider
from console.ports.billing_customers import CustomerClaims
from console.ports.clock import Ids
from console.ports.consents import ConsentBook
from console.ports.customer_letters import CustomerLetters
from console.ports.customer_tokens import CustomerTokens
from console.ports.directory import Directory
from console.ports.disclosures import DisclosureBook, LegalHolds
from console.ports.freezes import FreezeBook
from console.ports.impersonations import Grounds, ImpersonationBook
from console.ports.inbound import Inbox
from console.ports.jobs import JobBook
from console.ports.leases import LeaseBook
from console.ports.outbox import Outbox
from console.ports.periods import PeriodBook
from console.ports.planes import TenantPlane
from console.ports.recalculations import RecalculationBook
from console.ports.reconciliation import FindingBook, RunBook
from console.ports.reviews import ReviewBook
from console.ports.sessions import SessionBook
from console.ports.signals import SignalBook
from console.ports.staff import StaffBook
from console.ports.webhooks import Outbound, WebhookKeys

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


class ControlTools(Protocol):
    """The books of the control store that a CONTROL action may use."""

    @property
    def staff(self) -> StaffBook: ...  # noqa: D102  the type says it
    @property
    def executor(self) -> StaffId: ...  # noqa: D102
    @property
    def leases(self) -> LeaseBook: ...  # noqa: D102
    @property
    def impersonations(self) -> ImpersonationBook: ...  # noqa: D102
    @property
    def sessions(self) -> SessionBook: ...  # noqa: D102
    @property
    def jobs(self) -> JobBook: ...  # noqa: D102
    @property
    def inbox(self) -> Inbox: ...  # noqa: D102
    @property
    def recalculations(self) -> RecalculationBook: ...  # noqa: D102
    @property
    def runs(self) -> RunBook: ...  # noqa: D102
    @property
    def findings(self) -> FindingBook: ...  # noqa: D102
    @property
    def periods(self) -> PeriodBook: ...  # noqa: D102
    @property
    def signals(self) -> SignalBook: ...  # noqa: D102

    def impersonation_grounds(self, member: MemberId, *, at: datetime) -> Grounds:
        """Return what an impersonation of the open tenant would rest on, if the one who acts began it now."""
        ...

    def begin_impersonation(self, row: Impersonation) -> bool:
        """Store a new one; one of the same person that nothing keeps alive is ended first. False: one is alive."""
        ...

    def why_over(self, row: Impersonation, *, at: datetime) -> ImpersonationEnd | None:
        """Return why an impersonation is over, with all that it rests on; None while it lives."""
        ...

    def may_widen(self, row: Impersonation, *, at: datetime) -> bool:
        """Return whether the tenant lets one that runs write, by its policy or by a consent to it."""
        ...

    def spend_consent(self, row: Impersonation, mode: Mode, *, at: datetime) -> bool:
        """Spend the tenant's consent on what begins or widens, where it asks for one; False when none is left."""
        ...

    @property
    def freezes(self) -> FreezeBook: ...  # noqa: D102
    @property
    def reviews(self) -> ReviewBook: ...  # noqa: D102
    @property
    def directory(self) -> Directory: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102

    def freeze(self, freeze: Freeze) -> Stopped:
        """Wait for what is being executed, store a freeze, and end what lies under it; return how much was ended."""
        ...

    def end_under(self, freeze: Freeze, *, at: datetime) -> bool:
        """End what still lies under a freeze before it is lifted; False when that is more than one unit ends."""
        ...

    def end_against_wish(self, *, at: datetime) -> int:
        """End impersonations that the tenant does not let go on; return how many."""
        ...

    def end_without_role(self, staff: StaffId, *, at: datetime) -> int:
        """End what somebody may not hold with the roles that they have now; return how many."""
        ...

    @property
    def disclosures(self) -> DisclosureBook: ...  # noqa: D102
    @property
    def legal_holds(self) -> LegalHolds: ...  # noqa: D102
    @property
    def customer_tokens(self) -> CustomerTokens: ...  # noqa: D102
    @property
    def access_policies(self) -> AccessPolicyBook: ...  # noqa: D102
    @property
    def consents(self) -> ConsentBook: ...  # noqa: D102
    @property
    def letters(self) -> CustomerLetters: ...  # noqa: D102

    def flag(self, signal: Signal, *, at: datetime) -> None:
        """Have what a signal is about reviewed by somebody who had no part in it."""
        ...

    def end_everything_of(self, staff: StaffId, *, at: datetime) -> int:
        """End sessions, leases and impersonation and cancel open requests of a person; return how many things ended."""
        ...

    def end_sessions_of(self, staff: StaffId, *, at: datetime) -> int:
        """End every session of a person and the leases that each opened; return how many sessions ended."""
        ...

    def set_directory_status(self, status: str) -> None:
        """Make the directory follow the tenant's status on its plane."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """All that an action sees: one tenant (or none), the clock's reading, and who asked.

    Shape: `tenant` and `directory_row` are None for CONTROL actions; `control` is None for TENANT actions elsewhere;
    `request` and `agreed`, the votes that count for it, are there in an execution only. Of the limits in policies/:
    `shown_seconds` is how long a revealed value stays in sight, `top_up_minutes` how long more tenants may be opened,
    `top_up_most_tenants` how many more for one person at a time.
    """

    now: datetime
    ids: Ids
    requester: StaffId
    requester_name: str
    reason: Reason
    tenant: TenantPlane | None
    directory_row: DirectoryRow | None
    control: ControlTools | None
    provider: BillingProvider
    customer_claims: CustomerClaims
    outbound: Outbound
    webhook_keys: WebhookKeys
    shown_seconds: int
    top_up_minutes: int
    top_up_most_tenants: int
    execution: ExecutionId | None = None
    request: RequestId | None = None
    agreed: tuple[Vote, ...] = ()

    def plane(self) -> TenantPlane:
        """Return the tenant's data; raises RuntimeError for an action that declared no tenant."""
        if self.tenant is None:
            raise RuntimeError("this action reaches for a tenant but is declared Reach.CONTROL")
        return self.tenant

    def books(self) -> ControlTools:
        """Return the control books; raises RuntimeError for an action that declared Reach.TENANT."""
        if self.control is None:
            raise RuntimeError("this action reaches for the control store but is declared Reach.TENANT")
        return self.control


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
