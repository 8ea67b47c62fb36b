"""The id of another tenant's payment goes through the address of the tenant that is open."""

from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till

CHECKLIST = ("V8.2.2", "V2.2.3", "V8.4.1")
APPLY = "/t/nordwind/actions/billing.apply_payment"


def attack(door: Door) -> Attempts:
    """Refund a foreign payment, pay a foreign invoice, and name what is no payment at all."""
    open_till(door)
    finance = finance_inside(door)
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for payment in ("pi_kestrel1", "pi_none", "in_nordwind1"):
        attempts.post(finance, REFUND, {**FORTY, "payment": payment, **WHY, "step": "preview"})
    mixed = {"payment": "pi_nordwind2", "invoice": "in_kestrel2", "amount": "40.00", "currency": "EUR"}
    attempts.post(finance, APPLY, {**mixed, **WHY, "step": "preview"})
    return attempts
