"""Somebody lets an endpoint that is deleted, disabled or paused be told once more."""

from console.domain.imports import delivery_id_of
from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside
from tests.web.webhook_stage import MAIN, outage
from tests.web.world import NORDWIND

CHECKLIST = ("V2.3.2", "V2.2.3")


def attack(door: Door) -> Attempts:
    """Resend, tell anew, test and snapshot in each of the three states."""
    with door.cast.storage.bulk.write() as bulk:
        bulk.put(outage())
    engineer = engineer_inside(door)
    delivery = delivery_id_of(NORDWIND, "msg_nordwindmiss000", "main")
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for state in ("deleted", "disabled", "paused"):
        door.sql("UPDATE plane_webhook_endpoint SET state = ? WHERE id = ?", state, MAIN)
        for verb, fields in (
            ("resend", {"delivery": delivery, "supersede": "yes", "ignores_filters": "yes"}),
            ("reemit", {"delivery": delivery, "supersede": "yes", "ignores_filters": "yes"}),
            ("test_send", {"endpoint": MAIN}),
            ("send_snapshot", {"endpoint": MAIN, "subject": "account", "ignores_filters": "yes"}),
        ):
            attempts.post(engineer, f"/t/nordwind/actions/webhook.{verb}", {**fields, **WHY, "step": "preview"})
    return attempts
