"""Finance has a large refund approved by one lead, in two parts each of which needs no more."""

from pathlib import Path
from tempfile import TemporaryDirectory

from console.actions.registry import registered
from console.policy.load import load_book
from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till
from tests.policy.folders import copied, swap

CHECKLIST = ("V2.3.2", "AC-3(2)")


def attack(door: Door) -> Attempts:
    """Lower the size from which two leads look, refund below it, and try the rest with one lead's vote."""
    open_till(door)
    known = [(each.key, each.effect, each.reach.value) for each in registered().values()]
    with TemporaryDirectory() as folder:
        edit = swap("actions.toml", "units_one_lead = 1000", "units_one_lead = 45")
        book = load_book(copied(Path(folder), edit), known)
    door.refurnish(book=book)
    finance, lead = finance_inside(door), door.enter("finance_lead")
    first = door.ask(finance, REFUND, FORTY, **WHY)
    door.vote(lead, first)
    assert door.request(first).state == "executed"
    second = door.ask(finance, REFUND, FORTY, **WHY)
    door.vote(lead, second)
    assert door.request(second).state == "pending"
    alone = door.attempts(409, "request.execute_refused", code="wrong_state")
    alone.post(finance, f"/requests/{second}/execution")
    return alone
