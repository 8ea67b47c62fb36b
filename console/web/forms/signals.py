"""Which signals a list shows, as it stands in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.signals import SignalId
from console.web.forms.posted import Sent

STATES = ("open", "settled")
_ID = re.compile(r"sig_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsForm:
    """Whether those that wait are wanted, or those that had somebody's word; `before` is the one to go on from."""

    is_open: bool
    before: SignalId | None
    faults: Mapping[str, str]


def read_signal_filters(query: Sent) -> SignalsForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    state, before = query.get("state", STATES[0]).strip(), query.get("before", "")
    faults = {} if state in STATES else {"state": f"Choose one of {', '.join(STATES)}."}
    return SignalsForm(
        is_open=state != STATES[1], before=SignalId(before) if _ID.fullmatch(before) else None, faults=faults
    )
