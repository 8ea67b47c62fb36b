"""What every posted form shares: which fields belong to the page itself, and what to say of a field nobody knows."""

from collections.abc import Collection, Iterable, Mapping

from werkzeug.datastructures import MultiDict

from console.domain.decisions import Deny
from console.web.forms.strange import record_strange

Sent = MultiDict[str, str]

PLUMBING = frozenset({"csrf_token", "step_up_code", "step_up_password"})
REASON_FIELDS = {"code": "reason_code", "reference": "reason_reference", "note": "reason_note"}  # by the domain's name
_LONGEST_NAME = 40


def field_faults(refusal: Deny) -> dict[str, str]:
    """Return what is wrong, by the name of the posted field; nothing where it is about no field."""
    return {
        REASON_FIELDS.get(each.field, each.field): f"{each.sentence} {each.remedy}".strip()
        for each in (refusal, *refusal.also)
        if each.field
    }


def unknown_fields(sent: Sent, known: Iterable[str], *, many: Collection[str] = ()) -> Mapping[str, str]:
    """Return a remedy for each posted field that the form does not have, or has once; such a form is recorded.

    Shape: `many` names the fields that may be sent more than once.
    """
    expected = {*known, *PLUMBING}
    unknown = sorted(name for name in sent if name not in expected)
    doubled = sorted(name for name in sent if name in expected and name not in many and len(sent.getlist(name)) > 1)
    record_strange((*unknown, *doubled))
    return {
        **{name[:_LONGEST_NAME]: "This form has no such field: open the page again." for name in unknown},
        **dict.fromkeys(doubled, "This field came more than once: send it once."),
    }
