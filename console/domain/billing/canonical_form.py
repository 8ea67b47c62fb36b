"""Billing objects as plain documents and back: one spelling, so that a digest tells whether two sides agree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How objects of a class are written and read: every field's name, and which are moments, arrays, or left out.

    Shape: what stands at its default is left out of a document, so that a field that a kind has gained since moves no
    digest of what was written before.
    """

    names: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    moments: tuple[str, ...]
    arrays: tuple[str, ...]
    defaults: tuple[tuple[str, Any], ...]
    readers: tuple[tuple[str, _Reader, bool], ...]


_FORMS: dict[type, _Form] = {}  # of dataclasses: they never change


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


class ObjectDocument(dict[str, Any]):
    """A document that has the object with it of which it was written, so that nobody has to make it of the document."""

    def __init__(self, thing: BillingObject) -> None:
        """Write the object down; nobody changes either afterwards."""
        super().__init__(document(thing))
        self.thing = thing


def customer_of(thing: BillingObject) -> str | None:
    """Return the customer that an object belongs to, or None where it belongs to nobody."""
    if kind_of(thing) is ObjectKind.CUSTOMER:
        return thing.id
    owner: str | None = getattr(thing, "customer", None)
    return owner


def document(thing: BillingObject) -> dict[str, Any]:
    """Return an object as plain JSON: moments in whole microseconds UTC, lines and items as arrays in their order."""
    return _plain(thing)


def digest(thing: BillingObject) -> Digest:
    """Return the digest of an object's canonical bytes."""
    return digest_of(document(thing))


def digest_of(plain: Mapping[str, Any]) -> Digest:
    """Return the digest of an object that is written as a document already."""
    return Digest(sha256_hex(canonical_bytes(plain)))


def restored(kind: ObjectKind, plain: Mapping[str, Any]) -> BillingObject:
    """Return the object of a document. Raises: MalformedObjectError."""
    if isinstance(plain, ObjectDocument) and kind_of(plain.thing) is kind:
        return plain.thing
    try:
        thing: BillingObject = _made(CLASSES[kind], plain)
    except (KeyError, OverflowError, TypeError, ValueError) as broken:
        message = "A stored billing document does not fit its kind."
        raise MalformedObjectError(message, kind=kind.value) from broken
    return thing


def _plain(thing: Any) -> dict[str, Any]:  # noqa: ANN401  an object, or a part of one
    form = _form(type(thing))
    plain = dict(zip(form.names, form.values(thing), strict=True))
    for name, default in form.defaults:
        if plain[name] == default:
            del plain[name]
    for name in form.moments:
        at = plain.get(name)
        if at is not None:
            plain[name] = (at - _EPOCH) // _MICROSECOND
    for name in form.arrays:
        plain[name] = [_plain(each) for each in plain[name]]
    return plain


def _made(cls: type[T], plain: Mapping[str, Any]) -> T:
    told = ((name, read) for name, read, is_needed in _form(cls).readers if is_needed or name in plain)
    return cls(**{name: read(plain[name]) for name, read in told})


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


def _form(cls: type) -> _Form:
    form = _FORMS.get(cls)
    if form is None:
        form = _FORMS[cls] = _form_of(cls)
    return form


def _form_of(cls: type) -> _Form:
    hints = get_type_hints(cls)
    every = fields(cls)
    names = tuple(each.name for each in every)
    return _Form(
        names=names,
        values=attrgetter(*names),
        moments=tuple(name for name in names if datetime in {hints[name], *get_args(hints[name])}),
        arrays=tuple(name for name in names if get_origin(hints[name]) is tuple),
        defaults=tuple((each.name, each.default) for each in every if each.default is not MISSING),
        readers=tuple((each.name, _reader(hints[each.name]), each.default is MISSING) for each in every),
    )
