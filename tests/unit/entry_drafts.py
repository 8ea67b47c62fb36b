"""A draft of an entry that fills every field, and how the tests of entries seal, walk and change it."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from console.domain.canonical import parse_canonical
from console.domain.changes import Change
from console.domain.entries import (
    ActorKind,
    ActorRef,
    Authorisation,
    EntryDraft,
    Exposure,
    Kind,
    Outcome,
    RequestRef,
    TargetRef,
    TenantRef,
    Verb,
    VoteRef,
    Writer,
    seal_body,
)
from console.domain.ids import ReasonCode
from console.domain.reasons import Effect, Reason

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


FIRST = Writer(id="w1", n=1, prev=None)


FULL = EntryDraft(
    action="action.executed",
    actor=ActorRef(
        id="stf_1",
        kind=ActorKind.STAFF,
        name="Mara Lind",
        roles=("finance", "support_lead"),
        auth="oidc",
        step_up_age_s=12,
        session="ses_1",
    ),
    kind=Kind.OUTCOME,
    verb=Verb.UPDATE,
    class_="billing",
    effect=Effect.DANGEROUS,
    outcome=Outcome.FAILED,
    governed="invoice.credit",
    tenant=TenantRef(id="ten_1", name="Acme", slug="acme", source="lease", region="eu"),
    reason=Reason(code=ReasonCode("ticket"), reference="SUP-1", note="asked by mail"),
    authorisation=Authorisation(
        decision="allow",
        rules=("rule_1",),
        deny_code="none_now",
        policy_version="p1",
        request="req_1",
        votes=(VoteRef(staff="stf_2", name="Ivo", verdict="approve", digest="d1"),),
        digest="d2",
    ),
    targets=(TargetRef(type="invoice", id="inv_1", name="2026-1", version_before=3, version_after=4),),
    changes=(Change(field="credit", before="0", after="500"),),
    exposure=Exposure(records=7, fields=("email",)),
    request=RequestRef(id="r-1", route="/x", method="POST", ip="192.0.2.1", agent="curl"),
    error="remote_refused",
    correlation="cor_1",
    parent="ent_0",
    execution="exe_1",
    facts={"hits": 3},
)


def sealed(draft: EntryDraft, *, uid: str = "ent_1", ts_us: int = 1, writer: Writer = FIRST) -> bytes:
    return seal_body(draft, uid=uid, ts_us=ts_us, writer=writer)


def body_of(draft: EntryDraft) -> dict[str, Any]:
    body = parse_canonical(sealed(draft))
    assert isinstance(body, dict)
    return body


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Walk to every leaf of a draft: fields of data classes, items of tuples, values of mappings."""
    if is_dataclass(value):
        for each in fields(value):
            yield from paths(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from paths(item, (*path, at))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from paths(item, (*path, name))
    else:
        yield path


def other(value: object) -> object:
    """Return a different value of the same type."""
    if isinstance(value, Enum):
        return next(member for member in type(value) if member not in {value, Kind.DENIED, Outcome.DENIED})
    return value + 1 if isinstance(value, int) else f"{value}~"


def with_leaf(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401  any part of a draft
    if not path:
        return other(value)
    head, rest = path[0], path[1:]
    if isinstance(value, tuple):
        assert isinstance(head, int)
        return (*value[:head], with_leaf(value[head], rest), *value[head + 1 :])
    if isinstance(value, Mapping):
        return {**value, head: with_leaf(value[head], rest)}
    return replace(value, **{str(head): with_leaf(getattr(value, str(head)), rest)})


def part_types(found: type) -> Iterator[type]:
    """Walk to every data class that a draft can hold."""
    yield found
    for hint in typing.get_type_hints(found).values():
        for each in typing.get_args(hint) or (hint,):
            if isinstance(each, type) and is_dataclass(each):
                yield from part_types(each)


LEAF_PATHS = [path for path in paths(FULL) if path != ("action",)]
