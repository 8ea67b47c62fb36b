"""A customer's account bears a colleague's address, plainly, in other letters, or with a tag, and is acted for."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE
from tests.web.product_stage import ask_to_act, member

CHECKLIST = ("V8.2.1", "V8.2.2")


def attack(door: Door) -> Attempts:
    """Give a member the address of somebody of the company, and act for that member."""
    door.inside()
    attempts = door.attempts("member_is_staff", "request.refused", code="member_is_staff")
    lead = PEOPLE["support_lead"].email
    local, _, domain = lead.partition("@")
    for address in (lead, lead.upper(), f"{local}+acme@{domain}", PEOPLE["support_agent"].email):
        door.sql("UPDATE plane_member SET email = ? WHERE id = ?", address, member())
        attempts.ask(f"act for {address}", lambda: ask_to_act(door.cast, "support_agent"))
    return attempts
