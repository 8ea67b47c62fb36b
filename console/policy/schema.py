"""Reads which questions policies/*.cedarschema declares; Cedar itself checks them, we only need their shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from console.domain.ids import ActionKey

_TOKEN = re.compile(r'//[^\n]*|"([^"\\]*)"|([A-Za-z_][A-Za-z0-9_]*)|([{}\[\]<>:;,?=])|\s+')

TypeText = str | Mapping[str, "Attribute"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a record: its type, and whether a question may leave it out."""

    type: TypeText
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The shape of the question about one action."""

    key: ActionKey
    groups: frozenset[str]
    resources: frozenset[str]
    context: Mapping[str, Attribute]

    def record(self, name: str) -> Mapping[str, Attribute]:
        """Return the attributes of a record in the context; empty when the action has none."""
        found = self.context.get(name)
        return found.type if found is not None and isinstance(found.type, Mapping) else {}


@dataclass(slots=True)
class Declared:
    """What the schema declares: questions by action, enumerations, and which groups lie in which."""

    questions: dict[ActionKey, Question] = field(default_factory=dict)
    enums: dict[str, frozenset[str]] = field(default_factory=dict)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    _groups_of: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def all_groups(self, key: str) -> frozenset[str]:
        """Return the groups an action lies in, directly or through other groups, once all are declared."""
        known = self._groups_of.get(key)
        if known is None:
            question = self.questions.get(ActionKey(key))
            direct = question.groups if question is not None else self.groups.get(key, frozenset())
            known = self._groups_of[key] = direct.union(*(self.all_groups(group) for group in direct))
        return known


def declared(text: str) -> Declared:
    """Return what a schema declares; raises ValueError where its shape is not the one used here."""
    return _Reader(text).declarations()


class _Reader:
    """A reader for the part of Cedar's schema language that this project uses."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._types: dict[str, TypeText] = {}
        self._found = Declared()

    def declarations(self) -> Declared:
        self._read()  # a first time for the types, which may be declared after their use
        self._at, self._found = 0, Declared()
        self._read()
        return self._found

    def _read(self) -> None:
        while self._at < len(self._tokens):
            word = self._next()
            if word == "entity":
                self._entity()
            elif word == "type":
                name = self._next()
                self._expect("=")
                self._types[name] = self._type()
                self._expect(";")
            elif word == "action":
                self._action()
            else:
                raise ValueError(f"{word!r} where entity, type or action was expected")

    def _entity(self) -> None:
        name = self._next()
        if self._peek() == "enum":
            self._next()
            self._found.enums[name] = frozenset(self._names())
            self._expect(";")
            return
        while self._next() != ";":
            pass

    def _action(self) -> None:
        keys = [self._next()]
        while self._peek() == ",":
            self._next()
            keys.append(self._next())
        groups: frozenset[str] = frozenset()
        if self._peek() == "in":
            self._next()
            groups = frozenset(self._names())
        if self._peek() == ";":
            self._next()
            self._found.groups |= dict.fromkeys(keys, groups)
            return
        self._expect("appliesTo")
        shape = self._applies()
        self._expect(";")
        for key in keys:
            self._found.questions[ActionKey(key)] = Question(
                key=ActionKey(key), groups=groups, resources=shape[0], context=shape[1]
            )

    def _applies(self) -> tuple[frozenset[str], Mapping[str, Attribute]]:
        resources: frozenset[str] = frozenset()
        context: TypeText = {}
        self._expect("{")
        while self._peek() != "}":
            name = self._next()
            self._expect(":")
            if name == "context":
                context = self._type()
            else:
                names = frozenset(self._names())
                resources = names if name == "resource" else resources
            self._skip(",")
        self._expect("}")
        return resources, context if isinstance(context, Mapping) else {}

    def _type(self) -> TypeText:
        if self._peek() == "{":
            return self._record()
        name = self._next()
        if name == "Set":
            self._expect("<")
            inside = self._next()
            self._expect(">")
            return f"Set<{inside}>"
        return self._types.get(name, name)

    def _record(self) -> Mapping[str, Attribute]:
        self._expect("{")
        attributes = {}
        while self._peek() != "}":
            name = self._next()
            is_required = not self._skip("?")
            self._expect(":")
            attributes[name] = Attribute(self._type(), is_required)
            self._skip(",")
        self._expect("}")
        return attributes

    def _names(self) -> list[str]:
        if self._peek() != "[":
            return [self._next()]
        self._next()
        names = []
        while self._peek() != "]":
            names.append(self._next())
            self._skip(",")
        self._expect("]")
        return names

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise ValueError("the schema ends in the middle of a declaration")
        self._at += 1
        return token

    def _skip(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise ValueError(f"{found!r} where {token!r} was expected")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at : at + 20]!r} cannot be read")
        at = match.end()
        token = match[1] or match[2] or match[3]
        if token:
            yield token


def neutral(question: Question) -> dict[str, bool | int | str]:
    """Return facts that trip no limit: false, one, empty."""
    blank: dict[str, bool | int | str] = {"Bool": False, "Long": 1, "String": ""}
    wanted = question.record("facts")
    return {name: blank[str(kind.type)] for name, kind in wanted.items() if kind.is_required}
