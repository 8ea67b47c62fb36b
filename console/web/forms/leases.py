"""The form with which a tenant is opened."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from console.web.forms.posted import REASON_FIELDS, Sent, unknown_fields

FIELDS = (*REASON_FIELDS.values(), "minutes")
_LONGEST_NUMBER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseForm:
    """What was typed; `faults` holds a remedy by field name, `is_ours` says that no field is unknown or doubled."""

    code: str = ""
    reference: str = ""
    note: str = ""
    minutes: str = ""
    faults: Mapping[str, str]
    is_ours: bool = True

    @property
    def reason(self) -> Reason:
        """Return the reason as typed; the use case judges it."""
        return Reason(code=ReasonCode(self.code), reference=self.reference, note=self.note)

    @property
    def wanted_minutes(self) -> int | None:
        """Return the minutes asked for: None for the longest that the reason allows, 0 for what is no number."""
        if not self.minutes:
            return None
        return 0 if "minutes" in self.faults else int(self.minutes)


def blank_lease() -> LeaseForm:
    """Return the form before anything was typed."""
    return LeaseForm(faults={})


def read_lease(sent: Sent) -> LeaseForm:
    """Return what was posted, with what is wrong in its form."""
    unknown = unknown_fields(sent, FIELDS)
    faults = dict(unknown)
    minutes = sent.get("minutes", "").strip()
    if minutes and not (minutes.isascii() and minutes.isdigit()):
        faults["minutes"] = "Give whole minutes, or leave it empty for the longest time."
    elif len(minutes) > _LONGEST_NUMBER:
        faults["minutes"] = "That is longer than any reason allows."
    typed = {name: sent.get(field, "").strip() for name, field in REASON_FIELDS.items()}
    if not typed["code"]:
        faults["reason_code"] = "Choose a reason."
    return LeaseForm(faults=faults, is_ours=not unknown, minutes=minutes, **typed)
