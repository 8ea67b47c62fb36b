"""Ninety-nine euros are given back as ninety-nine of something else, or as an amount that is none."""

from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till

CHECKLIST = ("V2.2.1", "V2.2.2", "V2.2.3")


def attack(door: Door) -> Attempts:
    """Swap the currency in a form, and spell amounts that a careless reader would take for others."""
    open_till(door)
    finance = finance_inside(door)
    form = door.preview(finance, REFUND, FORTY, **WHY)
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for currency in ("USD", "KWD", "JPY"):
        swapped = {"currency": currency, "amount": "40"}
        attempts.post(finance, REFUND, {**form, **swapped})
        attempts.post(finance, REFUND, {**FORTY, **swapped, **WHY, "step": "preview"})
    return attempts
