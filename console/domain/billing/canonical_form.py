"""Billing objects as plain documents and back: one spelling, so that a digest tells whether two sides agree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from console.domain.billing.objects import CLASSES, KIND_OF, BillingObject, ObjectKind
from console.domain.canonical import canonical_bytes, sha256_hex
from console.domain.errors import ConsoleError
from console.domain.ids import Digest

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Reader: TypeAlias = Callable[[Any], Any]
_SHAPES: dict[type, tuple[tuple[str, _Reader, Any], ...]] = {}  # of dataclasses: they never change


class MalformedObjectError(ConsoleError):
    """A stored document is no billing object of its kind."""

    code = "malformed_billing_object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One object as the provider told it at a moment: the canonical form, and beside it what was really said.

    Shape: `raw` is the provider's own document, `api_version` the version in which it speaks; `is_deleted` where the
    provider says that the object was and is no more.
    """

    thing: BillingObject
    raw: Mapping[str, Any]
    api_version: str
    fetched_at: datetime
    is_deleted: bool = False

    @property
    def kind(self) -> ObjectKind:
        """Return what the object is."""
        return kind_of(self.thing)


def kind_of(thing: BillingObject) -> ObjectKind:
    """Return the kind of an object."""
    return KIND_OF[type(thing)]


def customer_of(thing: BillingObject) -> str | None:
    """Return the customer that an object belongs to, or None where it belongs to nobody."""
    if kind_of(thing) is ObjectKind.CUSTOMER:
        return thing.id
    owner: str | None = getattr(thing, "customer", None)
    return owner


def document(thing: BillingObject) -> dict[str, Any]:
    """Return an object as plain JSON: moments in whole microseconds UTC, lines and items as arrays in their order."""
    plain: dict[str, Any] = _plain(thing)
    return plain


def digest(thing: BillingObject) -> Digest:
    """Return the digest of an object's canonical bytes."""
    return digest_of(document(thing))


def digest_of(plain: Mapping[str, Any]) -> Digest:
    """Return the digest of an object that is written as a document already."""
    return Digest(sha256_hex(canonical_bytes(plain)))


def restored(kind: ObjectKind, plain: Mapping[str, Any]) -> BillingObject:
    """Return the object of a document. Raises: MalformedObjectError."""
    try:
        thing: BillingObject = _made(CLASSES[kind], plain)
    except (KeyError, OverflowError, TypeError, ValueError) as broken:
        message = "A stored billing document does not fit its kind."
        raise MalformedObjectError(message, kind=kind.value) from broken
    return thing


def _plain(value: Any) -> Any:  # noqa: ANN401  a field, and plain JSON
    if value is None or isinstance(value, str | int):  # nearly every field, and a whole import waits for it
        return value
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    told = ((name, getattr(value, name), default) for name, _read, default in _shape(type(value)))
    return {name: _plain(each) for name, each, default in told if default is MISSING or each != default}


def _made(cls: type[T], plain: Mapping[str, Any]) -> T:
    shape = ((name, read) for name, read, default in _shape(cls) if default is MISSING or name in plain)
    return cls(**{name: read(plain[name]) for name, read in shape})


def _reader(hint: Any) -> _Reader:  # noqa: ANN401  a type of a field
    """Return what makes a value of this type from plain JSON; it raises TypeError for anything else."""
    if get_origin(hint) is UnionType:
        read = _reader(next(each for each in get_args(hint) if each is not NoneType))
        return lambda plain: None if plain is None else read(plain)
    if hint is datetime:
        return lambda plain: _EPOCH + plain * _MICROSECOND
    if get_origin(hint) is tuple:
        made = get_args(hint)[0]
        return lambda plain: tuple(_made(made, each) for each in _array(plain))
    return lambda plain: plain if type(plain) is hint else _refused(plain)


def _refused(plain: object) -> NoReturn:
    raise TypeError(plain)


def _array(plain: object) -> Sequence[Any]:
    if not isinstance(plain, list):
        raise TypeError(plain)
    return plain


def _shape(cls: type) -> tuple[tuple[str, _Reader, Any], ...]:
    """Return name, reader and default of every field.

    Shape: what stands at its default is left out of a document, so that a field that a kind has gained since moves no
    digest of what was written before.
    """
    shape = _SHAPES.get(cls)
    if shape is None:
        hints = get_type_hints(cls)
        shape = _SHAPES[cls] = tuple((each.name, _reader(hints[each.name]), each.default) for each in fields(cls))
    return shape
