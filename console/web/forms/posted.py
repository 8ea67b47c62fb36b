"""What every posted form shares: which fields belong to the page itself, and what to say of a field nobody knows."""

from collections.abc import Iterable, Mapping

from werkzeug.datastructures import MultiDict

Sent = MultiDict[str, str]

PLUMBING = frozenset({"csrf_token", "step_up_code", "step_up_password"})
REASON_FIELDS = {"code": "reason_code", "reference": "reason_reference", "note": "reason_note"}  # by the domain's name
_LONGEST_NAME = 40


def unknown_fields(sent: Sent, known: Iterable[str]) -> Mapping[str, str]:
    """Return a remedy for each posted field that the form does not have, so that nothing can be smuggled in."""
    expected = {*known, *PLUMBING}
    names = sorted({name for name in sent if name not in expected})
    return {name[:_LONGEST_NAME]: "This form has no such field: open the page again." for name in names}
