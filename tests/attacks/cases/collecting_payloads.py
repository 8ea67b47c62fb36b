"""Somebody reveals one payload after another, counted together with the other reveals."""

from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside
from tests.web.webhook_stage import outage

CHECKLIST = ("V14.2.6", "V2.4.1")
REVEAL = "/t/nordwind/actions/webhook.reveal_payload"


def attack(door: Door) -> Attempts:
    """Reveal one more than the budget allows, after revealing members."""
    with door.cast.storage.bulk.write() as bulk:
        bulk.put(outage())
    engineer = engineer_inside(door)
    house = door.cast.house
    form = door.preview(engineer, REVEAL, {"message": "msg_nordwindmiss000"}, **WHY)
    with house.store.write() as unit:
        for _ in range(house.book.limits.reveals_per_hour):
            unit.throttles.hit("reveals", door.staff("engineer"), at=door.cast.clock.now())
    attempts = door.attempts(429, "request.refused", code="budget_spent")
    assert "contact0@nordwind.example" not in attempts.post(engineer, REVEAL, form).text
    return attempts
