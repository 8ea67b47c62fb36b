"""An agent writes an address of their own into the question that our letter brings to the customer."""

from tests.attacks.door import CONTRACT, Attempts, Door

CHECKLIST = ("V2.2.1",)
ASK = "/t/nordwind/actions/consent.ask"
WHY = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "ZD-48213", "reason_note": ""}
QUESTION = {"member": "", "mode": "read", "minutes": "20", "answer_hours": "48"}


def attack(door: Door) -> Attempts:
    """Try each kind of address, when asking to see what would happen and with a form that shows it already."""
    agent = door.inside()
    right = door.preview(agent, ASK, {"what": "See why your invoice shows two taxes.", **QUESTION}, **WHY)
    refused = door.attempts(422, "request.refused")
    for address in ("https://evil.example/answer", "www.evil.example", "MAILTO:evil@evil.example", "ftp://evil"):
        wrong = {"what": f"Please answer at {address} today.", **QUESTION}
        refused.post(agent, ASK, {**CONTRACT, **wrong, **WHY, "step": "preview"})
        refused.post(agent, ASK, {**right, **wrong})
    return refused
