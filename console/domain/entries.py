"""Entries: the one record of what somebody did, and the canonical body in which it is sealed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any

from console.domain.canonical import Plain, bytes_of_plain, digest_hex, exact
from console.domain.catalogue import CATALOGUE, Described, Kind, Outcome, Verb
from console.domain.changes import Change
from console.domain.decisions import Fact
from console.domain.entry_parts import (
    STRANGER,
    SYSTEM_ACTOR,
    ActorKind,
    ActorRef,
    Authorisation,
    Exposure,
    Program,
    RequestRef,
    TargetRef,
    TenantRef,
    VoteRef,
    Writer,
)
from console.domain.errors import ConsoleError
from console.domain.reasons import Effect, Reason
from console.domain.redaction import redacted_text
from console.domain.requests import Verdict

__all__ = [
    "CATALOGUE",
    "STRANGER",
    "SYSTEM_ACTOR",
    "ActorKind",
    "ActorRef",
    "Authorisation",
    "Described",
    "Entry",
    "EntryDraft",
    "EntryError",
    "Exposure",
    "Kind",
    "Outcome",
    "Program",
    "RequestRef",
    "TargetRef",
    "TenantRef",
    "Verb",
    "VoteRef",
    "Writer",
    "WriterCounter",
    "seal_body",
    "told",
]

VERSION = 1
BODY_LIMIT = 65_535  # C2SP entry bundles give an entry's length in two bytes

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class EntryError(ConsoleError):
    """A draft that must not become an entry: a bug of the use case that made it."""

    code = "entry_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """What a use case supplies; a mark left None is the catalogue's, and every field reaches the body.

    Shape: `action` is a catalogue key; `governed` the governed action's key; `parent` the intent's uid;
    `error` a stable code; `facts` has keys [a-z0-9_].
    Units: `execution` is an execution id, `correlation` joins the entries of one event.
    """

    action: str
    actor: ActorRef
    kind: Kind | None = None
    verb: Verb | None = None
    class_: str | None = None
    effect: Effect | None = None
    outcome: Outcome | None = None
    governed: str | None = None
    tenant: TenantRef | None = None
    reason: Reason | None = None
    authorisation: Authorisation | None = None
    targets: tuple[TargetRef, ...] = ()
    changes: tuple[Change, ...] = ()
    exposure: Exposure | None = None
    request: RequestRef | None = None
    error: str | None = None
    correlation: str | None = None
    parent: str | None = None
    execution: str | None = None
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A draft with its identity, its time and its place among the entries of its writer."""

    uid: str
    ts_us: int
    writer: Writer
    draft: EntryDraft

    def body(self) -> dict[str, Plain]:
        """Return the body: every field of the draft under its own name, and v, uid, ts_us, w, program, truncated.

        Raises: EntryError when the draft breaks a rule of the catalogue.
        """
        writer = self.writer
        body = _part(self.draft)
        body.update(_marks(self.draft))
        if self.draft.error is not None:  # what a program said when it failed can hold anything
            body["error"] = redacted_text(str(body["error"]))
        body.update(v=VERSION, uid=self.uid, ts_us=self.ts_us, truncated=None, w=[writer.id, writer.n, writer.prev])
        body["program"] = None if writer.program is None else _part(writer.program)
        return body


def seal_body(draft: EntryDraft, *, uid: str, ts_us: int, writer: Writer) -> bytes:
    """Return the canonical bytes that are stored and hashed.

    Shape: at most 65,535 bytes; `changes` that do not fit become truncated {changes, sha256} over their bytes.
    Raises: EntryError when the draft breaks a rule, or is too large even without its changes.
    """
    body = Entry(uid=uid, ts_us=ts_us, writer=writer, draft=draft).body()
    sealed = bytes_of_plain(body)
    if len(sealed) <= BODY_LIMIT:
        return sealed
    body["truncated"] = {"changes": len(draft.changes), "sha256": digest_hex(body["changes"])}
    body["changes"] = []
    sealed = bytes_of_plain(body)
    if len(sealed) > BODY_LIMIT:
        message = f"The entry {draft.action} has {len(sealed)} bytes without its changes."
        raise EntryError(message, action=draft.action, bytes=len(sealed))
    return sealed


_VOTED = {Verdict.APPROVE.value: "for", Verdict.REJECT.value: "against"}


def told(body: Mapping[str, Any], *, titles: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return an entry's sentence, to stand after the actor's name; `titles` name the governed actions."""
    described = CATALOGUE.get(body["action"])
    if described is None:
        return str(body["action"])
    target = next(iter(body["targets"]), None)
    governed = body["governed"]
    refusal = (body["authorisation"] or {}).get("deny_code")
    sentence = described.sentence if body["tenant"] else described.sentence.replace(" on {tenant}", "")
    return sentence.format(
        tenant=(body["tenant"] or {}).get("name", "no tenant"),
        governed=titles.get(governed, governed) if governed else "an action",
        target=(target["name"] or target["id"]) if target else "something",
        records=(body["exposure"] or {}).get("records", 0),
        verdict=_VOTED.get(body["facts"].get("verdict"), "on"),
        why=body["error"] or refusal or "no reason given",
    )


class WriterCounter:
    """One writer's own count, kept in memory: an entry removed before sequencing leaves a gap in it.

    One per thread, under an id made after any fork; when it is unknown whether a commit came through, drop
    the counter and begin another under a new id, since the same number must never be used twice.
    """

    __slots__ = ("_kept", "_pending", "_program", "_writer")

    def __init__(self, writer: str, program: Program | None = None) -> None:
        """Begin at the first entry of this writer."""
        self._writer = writer
        self._program = program
        self._kept: tuple[int, str | None] = (0, None)
        self._pending: tuple[int, str | None] = self._kept

    def next(self) -> Writer:
        """Return the place of the next entry; the same until `staged` is called."""
        n, prev = self._pending
        return Writer(id=self._writer, n=n + 1, prev=prev, program=self._program)

    def staged(self, leaf: bytes) -> None:
        """Count an entry that was inserted in the open transaction."""
        self._pending = (self._pending[0] + 1, leaf.hex())

    def committed(self) -> None:
        """Keep what was staged."""
        self._kept = self._pending

    def rolled_back(self) -> None:
        """Forget what was staged."""
        self._pending = self._kept


def _marks(draft: EntryDraft) -> dict[str, Plain]:
    """Return the marks, the catalogue's where the draft has none. Raises: EntryError when a rule is broken."""
    described = CATALOGUE.get(draft.action)
    if described is None:
        message = f"{draft.action} is not in the catalogue of entries."
        raise EntryError(message, action=draft.action)
    kind, outcome = draft.kind or described.kind, draft.outcome or described.outcome
    broken = _broken_rule(draft, described, kind=kind, outcome=outcome)
    if broken is not None:
        message = f"{draft.action}: {broken}."
        raise EntryError(message, action=draft.action)
    return {
        "kind": kind.value,
        "verb": (draft.verb or described.verb).value,
        "class": _plain(draft.class_ or described.class_),
        "effect": (draft.effect or described.effect).value,
        "outcome": outcome.value,
    }


def _broken_rule(draft: EntryDraft, described: Described, *, kind: Kind, outcome: Outcome) -> str | None:
    if described.is_governed and not draft.governed:
        return "the governed action's key is missing"
    if kind is Kind.OUTCOME and not draft.parent:
        return "an outcome names its intent as parent"
    if kind is Kind.INTENT and not draft.execution:
        return "an intent names its execution"
    if (kind is Kind.DENIED) != (outcome is Outcome.DENIED):
        return "denied is both the kind and the outcome, or neither"
    if not all(_NAME.fullmatch(name) for name in draft.facts):
        return "a fact's name is lower case letters, digits and underscores"
    return None


def _plain(value: object) -> Plain:
    """Return a value of the closed domain of canonical bytes, of exact types, for nothing looks at it again."""
    if isinstance(value, str):
        # PostgreSQL cannot index a NUL, and no stranger's bytes may keep an entry from being written
        text = str.__str__(value)
        is_clean = "\x00" not in text if text.isascii() else _NOT_TEXT.search(text) is None
        return text if is_clean else _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
    if value is None or value is True or value is False:
        return value
    if type(value) is int:
        return exact(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return _part(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    message = f"{type(value).__name__} cannot stand in an entry."
    raise EntryError(message)


def _part(value: Any) -> dict[str, Plain]:  # noqa: ANN401  a draft or one of its parts
    """Return every field of a draft or of one of its parts, so that a new field cannot be left out."""
    names = _names.get(type(value))
    if names is None:
        # a field that ends in `_`, being a keyword of Python, loses it
        names = _names[type(value)] = tuple((each.name, each.name.rstrip("_")) for each in fields(value))
    part: dict[str, Plain] = {}
    for name, shown in names:
        item = getattr(value, name)
        is_plain = item is None or (type(item) is str and item.isascii() and "\x00" not in item)
        part[shown] = item if is_plain else _plain(item)  # most fields need no second look, and no call
    return part


_names: dict[type, tuple[tuple[str, str], ...]] = {}
