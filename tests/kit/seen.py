"""An answer as a browser has it, whatever carried it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Asking = Callable[[str, str, Mapping[str, str], bytes], "Seen"]


@dataclass(frozen=True)
class Seen:
    """An answer as a browser has it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def get(self, name: str) -> str:
        """Return a header; several are joined."""
        return ", ".join(value for found, value in self.headers if found.lower() == name.lower())
