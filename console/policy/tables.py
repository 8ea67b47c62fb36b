"""Reads TOML tables of policies/ with exact types, and notes every fault with its mend."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Table:
    """One TOML table: each key is taken once with its type; what is left over at the end is unknown."""

    def __init__(self, place: str, values: Mapping[str, object], faults: list[str]) -> None:
        """Read from `values`; `place` names file and table in every fault."""
        self.place = place
        self._values = dict(values)
        self._known: list[str] = []
        self.faults = faults

    def fault(self, sentence: str) -> None:
        """Note a fault of this table."""
        self.faults.append(f"{self.place}: {sentence}")

    def has(self, key: str) -> bool:
        """Return whether a key stands here and was not taken yet."""
        return key in self._values

    def text(self, key: str) -> str:
        """Take a text that is not empty."""
        value = self._take(key)
        if isinstance(value, str) and value.strip():
            return value
        return self._wrong(key, value, 'a text in quotes, for example "like this"', "")

    def flag(self, key: str) -> bool:
        """Take true or false."""
        value = self._take(key)
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", default=False)

    def choice(self, key: str, known: tuple[T, ...], default: T) -> T:
        """Take one of the known texts; absent means the default."""
        if not self.has(key):
            self._known.append(key)
            return default
        value = self._take(key)
        found = next((item for item in known if item == value), None)
        return self._wrong(key, value, f"one of {', '.join(map(str, known))}", default) if found is None else found

    def number(self, key: str, *, least: int = 1, most: int = 1_000_000) -> int:
        """Take a whole number within bounds."""
        value = self._take(key)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        return self._wrong(key, value, f"a whole number from {least} to {most:,} without quotes", least)

    def numbers(self, key: str, *, most: int = 1_000_000) -> tuple[int, ...]:
        """Take a list of whole numbers from 1."""
        value = self._take(key)
        if isinstance(value, list) and value and all(type(item) is int and 1 <= item <= most for item in value):
            return tuple(value)
        return self._wrong(key, value, f"a list of whole numbers from 1 to {most:,}, for example [5, 300]", ())

    def names_or_none(self, key: str, *, known: Iterable[str] | None = None, kind: str = "name") -> tuple[str, ...]:
        """Take a list of texts that may be empty; absent counts as empty."""
        if self._values.get(key, []) == []:
            self._take(key)
            return ()
        return self.names(key, known=known, kind=kind)

    def names(self, key: str, *, known: Iterable[str] | None = None, kind: str = "name") -> tuple[str, ...]:
        """Take a list of texts, each among the known ones."""
        value = self._take(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            return self._wrong(key, value, 'a list that is not empty, for example ["one", "two"]', ())
        if len(set(value)) != len(value):
            self.fault(f"{key} names something twice: remove one.")
        if known is None:
            return tuple(value)
        listed = sorted(known)
        for item in value:
            if item not in listed:
                self.fault(f"unknown {kind} {item!r} in {key}: use one of {', '.join(listed)}.")
        return tuple(item for item in value if item in listed)

    def number_or(self, key: str, default: T, *, most: int = 1_000_000) -> int | T:
        """Take a whole number from 1; absent means the default."""
        if self.has(key):
            return self.number(key, most=most)
        self._known.append(key)
        return default

    def counts(self, key: str) -> dict[str, int]:
        """Take a table of whole numbers from 1 to 1,000,000."""
        inner = self.table(key)
        return {} if inner is None else {name: inner.number(name) for name in inner.keys_left()}

    def table(self, key: str) -> "Table | None":
        """Take a table inside this one."""
        value = self._take(key)
        if isinstance(value, dict):
            return Table(f"{self.place} {key}", value, self.faults)
        return self._wrong(key, value, "a table", None)

    def mapping(self, key: str) -> dict[str, Any]:
        """Take a table as it stands; absent counts as empty."""
        value = self._take(key)
        return value if isinstance(value, dict) else {} if value is None else self._wrong(key, value, "a table", {})

    def rows(self, key: str) -> "list[Table]":
        """Take a list of tables, [[key]]."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return self._wrong(key, value, f"at least one [[{key}]]", [])
        return [Table(f"{self.place} {key}", item, self.faults) for item in value]

    def tables(self, key: str) -> "dict[str, Table]":
        """Take a table of tables; absent counts as empty."""
        if key not in self._values:
            self._known.append(key)
            return {}
        value = self._take(key)
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            return self._wrong(key, value, "tables, each with its own heading", {})
        return {name: Table(f'{self.place} [{key}."{name}"]', item, self.faults) for name, item in value.items()}

    def keys_left(self) -> tuple[str, ...]:
        """Return the keys that were not taken yet."""
        return tuple(self._values)

    def done(self) -> None:
        """Note every key that nobody took."""
        for key in self._values:
            known = ", ".join(sorted(self._known)) or "none"
            self.fault(f"unknown key {key!r}: remove it, or use one of {known}.")

    def _take(self, key: str) -> object:
        self._known.append(key)
        return self._values.pop(key, None)

    def _wrong(self, key: str, value: object, wanted: str, default: T) -> T:
        if value is None:
            self.fault(f"{key} is missing: give {wanted}.")
        else:
            self.fault(f"{key} = {value!r} is wrong: give {wanted}.")
        return default
