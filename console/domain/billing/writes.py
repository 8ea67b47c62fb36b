"""What we asked a billing provider to do, and how far each of these is; nothing is asked twice blindly."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, assert_never, get_type_hints

from console.domain.billing.commands import (
    ApplyPayment,
    CancelSubscription,
    Command,
    CreditTo,
    IssueCreditNote,
    NameTenant,
    RefundPayment,
)
from console.domain.billing.objects import ObjectKind
from console.domain.canonical import digest_hex
from console.domain.errors import ConsoleError
from console.domain.ids import Digest, ExecutionId

T = TypeVar("T")
_BACK = "back_minor"


class WriteState(StrEnum):
    """How far a command is."""

    WANTED = "wanted"  # approved and noted; nothing left the house
    SENT = "sent"  # the provider may have done it, whatever came back
    DONE = "done"
    REFUSED = "refused"  # the provider, or our own rules before it, said no; nothing happened


class WriteEvent(StrEnum):
    """What can happen to a command."""

    SEND = "send"
    SUCCEED = "succeed"
    REFUSE = "refuse"


_S, _E = WriteState, WriteEvent
TRANSITIONS: Mapping[tuple[WriteState, WriteEvent], WriteState] = {
    (_S.WANTED, _E.SEND): _S.SENT,
    (_S.WANTED, _E.REFUSE): _S.REFUSED,
    (_S.SENT, _E.SEND): _S.SENT,
    (_S.SENT, _E.SUCCEED): _S.DONE,
    (_S.SENT, _E.REFUSE): _S.REFUSED,
}
SETTLED = frozenset({WriteState.DONE, WriteState.REFUSED})


def after(state: WriteState, event: WriteEvent) -> WriteState | None:
    """Return the state that follows, or None when the event is not legal in this state."""
    return TRANSITIONS.get((state, event))


class Operation(StrEnum):
    """What is asked for."""

    REFUND = "refund"
    CREDIT = "credit"
    APPLY = "apply"
    CANCEL = "cancel"
    NAME = "name"


_CLASSES: Mapping[Operation, type] = {
    Operation.REFUND: RefundPayment,
    Operation.CREDIT: IssueCreditNote,
    Operation.APPLY: ApplyPayment,
    Operation.CANCEL: CancelSubscription,
    Operation.NAME: NameTenant,
}
_OPERATION_OF: Mapping[type, Operation] = {each: operation for operation, each in _CLASSES.items()}
_RESULTS: Mapping[Operation, ObjectKind] = {
    Operation.REFUND: ObjectKind.REFUND,
    Operation.CREDIT: ObjectKind.CREDIT_NOTE,
    Operation.APPLY: ObjectKind.INVOICE,
    Operation.CANCEL: ObjectKind.SUBSCRIPTION,
    Operation.NAME: ObjectKind.CUSTOMER,
}


class MalformedCommandError(ConsoleError):
    """A stored command is none of those that may be asked for."""

    code = "malformed_command"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderWrite:
    """One command and what became of it. Units: `amount_minor` minor units of `currency`, 0 where no money moves.

    Shape: `id` is the execution that asked; `subject` the object acted on; `result_kind` and `result_id` name what came
    of it, once done; `error` is the provider's last word, kept until it is done.
    """

    id: ExecutionId
    operation: Operation
    subject: str
    command: Command
    idempotency_key: str
    currency: str | None
    amount_minor: int
    state: WriteState
    version: int
    wanted_at: datetime
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    result_kind: ObjectKind | None = None
    result_id: str | None = None
    error: str | None = None

    @property
    def is_pending(self) -> bool:
        """Return whether money may still move, so that it counts against every bound."""
        return self.state not in SETTLED


def wanted(command: Command, execution: ExecutionId, *, at: datetime) -> ProviderWrite:
    """Return a command as it stands before anything left the house."""
    operation = operation_of(command)
    return ProviderWrite(
        id=execution,
        operation=operation,
        subject=subject_of(command),
        command=command,
        idempotency_key=key_of(operation, execution),
        currency=getattr(command, "currency", None),
        amount_minor=getattr(command, "amount_minor", 0),
        state=WriteState.WANTED,
        version=1,
        wanted_at=at,
    )


def key_of(operation: Operation, execution: ExecutionId) -> str:
    """Return the idempotency key of the one command of an execution: the same after every crash."""
    return f"sallyport-{operation.value}-{execution}"


def operation_of(command: Command) -> Operation:
    """Return what a command asks for."""
    return _OPERATION_OF[type(command)]


def result_of(operation: Operation) -> ObjectKind:
    """Return what sort of object comes of an operation."""
    return _RESULTS[operation]


def subject_of(command: Command) -> str:
    """Return the provider's id of the object that a command acts on."""
    match command:
        case RefundPayment() | ApplyPayment():
            return command.payment
        case IssueCreditNote():
            return command.invoice
        case CancelSubscription():
            return command.subscription
        case NameTenant():
            return command.customer
        case _:
            assert_never(command)


def touched_by(command: Command) -> tuple[tuple[ObjectKind, str], ...]:
    """Return the objects that look different at the provider once a command was carried out, beside its result."""
    match command:
        case RefundPayment():
            return ((ObjectKind.PAYMENT, command.payment),)
        case IssueCreditNote():
            return ((ObjectKind.INVOICE, command.invoice),)
        case ApplyPayment():
            return ((ObjectKind.PAYMENT, command.payment), (ObjectKind.INVOICE, command.invoice))
        case CancelSubscription():
            return ((ObjectKind.SUBSCRIPTION, command.subscription),)
        case NameTenant():
            return ((ObjectKind.CUSTOMER, command.customer),)
        case _:
            assert_never(command)


def document(command: Command) -> dict[str, Any]:
    """Return a command as plain JSON; one of before an amount to give back was approved looks as it did then."""
    plain = {"operation": operation_of(command).value, **asdict(command)}
    if plain.get(_BACK, 0) is None:
        del plain[_BACK]
    return plain


def restored(plain: Mapping[str, Any]) -> Command:
    """Return the command of a document. Raises: MalformedCommandError."""
    try:
        operation = Operation(plain["operation"])
        command: Command = _made(_CLASSES[operation], plain)
    except (KeyError, TypeError, ValueError) as broken:
        message = "A stored command does not fit any that may be asked for."
        raise MalformedCommandError(message) from broken
    return command


def bound_digest(command: Command) -> Digest:
    """Return the digest by which a job knows its command: all of it but whose it is, which is the request's tenant."""
    plain = document(command)
    if isinstance(command, NameTenant):
        plain["tenant"] = None if command.tenant is None else ""
    return Digest(digest_hex(plain))


def pending_minor(writes: Iterable[ProviderWrite], currency: str, *operations: Operation) -> int:
    """Return how much of a currency is on its way by these operations. Units: minor units."""
    return sum(
        each.amount_minor
        for each in writes
        if each.is_pending and each.currency == currency and each.operation in operations
    )


def _made(cls: type[T], plain: Mapping[str, Any]) -> T:
    hints, names = get_type_hints(cls), {each.name for each in fields(cls)}  # type: ignore[arg-type]  # of _CLASSES
    if not names - {_BACK} <= set(plain) - {"operation"} <= names:
        raise TypeError(sorted(plain))
    values = {name: CreditTo(plain[name]) if hints[name] is CreditTo else plain.get(name) for name in names}
    wrong = [name for name in names if not isinstance(values[name], hints[name]) or isinstance(values[name], bool)]
    if wrong:
        raise TypeError(sorted(wrong))
    return cls(**values)
