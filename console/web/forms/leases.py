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
    """What was typed; `faults` holds a remedy by field name."""

    code: str = ""
    reference: str = ""
    note: str = ""
    minutes: str = ""
    faults: Mapping[str, str]

    @property
    def reason(self) -> Reason:
        """Return the reason as typed; the use case judges it."""
        return Reason(code=ReasonCode(self.code), reference=self.reference, note=self.note)

    @property
    def wanted_minutes(self) -> int | None:
        """Return the minutes asked for, None for the longest that the reason allows."""
        return int(self.minutes) if self.minutes else None


def blank_lease() -> LeaseForm:
    """Return the form before anything was typed."""
    return LeaseForm(faults={})


def read_lease(sent: Sent) -> LeaseForm:
    """Return what was posted, with what is wrong in its form."""
    faults = dict(unknown_fields(sent, FIELDS))
    minutes = sent.get("minutes", "").strip()
    if minutes and not (minutes.isascii() and minutes.isdigit()):
        faults["minutes"] = "Give whole minutes, or leave it empty for the longest time."
    elif len(minutes) > _LONGEST_NUMBER:
        faults["minutes"] = "That is longer than any reason allows."
    typed = {name: sent.get(field, "").strip() for name, field in REASON_FIELDS.items()}
    if not typed["code"]:
        faults["reason_code"] = "Choose a reason."
    return LeaseForm(faults=faults, minutes=minutes, **typed)
