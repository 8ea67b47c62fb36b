"""The filters of the queue of findings, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.ids import StaffId
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import FindingId, FindingState
from console.ports.reconciliation import FindingFilter
from console.web.forms.posted import Sent

FILTERS = ("state", "kind", "owner", "age", "currency")
_LONGEST = 40
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_DAYS = re.compile(r"[0-9]{1,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MINE = "me"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsForm:
    """The filters as typed, as understood and in words; `after` is the finding to go on from."""

    typed: Mapping[str, str]
    which: FindingFilter
    said: Mapping[str, str]
    after: FindingId | None
    faults: Mapping[str, str]


def read_finding_filters(query: Sent, *, me: StaffId, now: datetime) -> FindingsForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    typed = {name: query.get(name, "").strip()[:_LONGEST] for name in FILTERS if query.get(name, "").strip()}
    checks = {
        "state": (typed.get("state") in set(FindingState), "Choose one of the states."),
        "kind": (typed.get("kind") in KINDS, "Choose one of the kinds."),
        "owner": (typed.get("owner") == _MINE, "Choose your own findings, or leave it out."),
        "age": (bool(_DAYS.fullmatch(typed.get("age", ""))), "Give a number of days, like 7."),
        "currency": (bool(_CURRENCY.fullmatch(typed.get("currency", ""))), "Give a currency, like EUR."),
    }
    faults = {name: remedy for name, (is_fine, remedy) in checks.items() if name in typed and not is_fine}
    fine = {name: value for name, value in typed.items() if name not in faults}
    after = query.get("after", "")
    return FindingsForm(
        typed=typed,
        which=FindingFilter(
            state=FindingState(fine["state"]) if "state" in fine else None,
            kind=fine.get("kind"),
            owner=me if "owner" in fine else None,
            currency=fine.get("currency"),
            before=now - timedelta(days=int(fine["age"])) if "age" in fine else None,
        ),
        said={name: _said(name, value) for name, value in fine.items()},
        after=FindingId(after) if _ID.fullmatch(after) else None,
        faults=faults,
    )


def _said(name: str, value: str) -> str:
    match name:
        case "state":
            return value.replace("_", " ")
        case "kind":
            return KINDS[value].title
        case "owner":
            return "mine"
        case "age":
            return f"older than {value} days"
        case _:
            return value
