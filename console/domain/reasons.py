"""Reasons: why somebody opens a tenant or asks for an action, and what a code permits."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from console.domain.disclosure import DisclosureRule
from console.domain.ids import ReasonCode

_LONGEST_REFERENCE = 64
_LONGEST_NOTE = 2_000
# What would forge a second line or turn the reading direction around, wherever the reason is shown.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


BREAK_GLASS = ReasonCode("BREAK_GLASS")  # skips prior approval where an action allows it


class Effect(StrEnum):
    """How much an action can harm; declared, never guessed from the HTTP verb."""

    READ = "read"
    WRITE = "write"
    DANGEROUS = "dangerous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A code from policies/reasons.toml, the reference it demands, and a note."""

    code: ReasonCode
    reference: str
    note: str = ""

    def bounded(self) -> "Reason":
        """Return the reason as the entry of its refusal holds it: what nobody checked yet can have any length."""
        return Reason(
            code=ReasonCode(_cut(self.code, _LONGEST_REFERENCE)),
            reference=_cut(self.reference, _LONGEST_REFERENCE),
            note=_cut(self.note, _LONGEST_NOTE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRule:
    """What one reason code demands and permits. Units: minutes. Source: policies/reasons.toml."""

    code: ReasonCode
    label: str
    sentence: str
    reference_label: str
    reference_pattern: str
    reference_example: str
    reference_kind: str
    effects: frozenset[Effect]
    lease_minutes: int
    note_required: bool
    customer_notice: str
    disclosure: DisclosureRule = field(default_factory=DisclosureRule)

    def faults(self, reason: Reason) -> tuple[tuple[str, str, str], ...]:
        """Return (field, deny code, remedy) for each field of a reason that is wrong, the reference first."""
        return (*self._reference_faults(reason.reference.strip()), *self._note_faults(reason.note))

    def _reference_faults(self, reference: str) -> tuple[tuple[str, str, str], ...]:
        if not reference:
            remedy = f"Give the {self.reference_label}, e.g. {self.reference_example}."
            return (("reference", "reference_missing", remedy),)
        if len(reference) > _LONGEST_REFERENCE or not re.fullmatch(self.reference_pattern, reference):
            remedy = f"The {self.reference_label} looks like {self.reference_example}."
            return (("reference", "reference_malformed", remedy),)
        return ()

    def _note_faults(self, note: str) -> tuple[tuple[str, str, str], ...]:
        if self.note_required and not note.strip():
            return (("note", "note_missing", f"{self.label} needs a note that says what happened."),)
        if _INVISIBLE.search(note):
            remedy = "The note holds invisible control characters: type it again in one line."
            return (("note", "bad_parameter", remedy),)
        if len(note) > _LONGEST_NOTE:
            return (("note", "note_too_long", f"Keep the note under {_LONGEST_NOTE} characters."),)
        return ()


class ReferenceVerdict(StrEnum):
    """What the ticket system says of a reference."""

    OPEN = "open"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    CLOSED = "closed"
    UNCHECKED = "unchecked"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
