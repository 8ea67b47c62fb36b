"""Ids of another tenant's endpoints, deliveries, messages and runs go through the address of the open tenant."""

from console.domain.imports import delivery_id_of, endpoint_id_of
from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside, foreign_run
from tests.web.webhook_stage import outage
from tests.web.world import KESTREL

CHECKLIST = ("V8.2.2", "V2.2.3", "V8.4.1")
TRIES = {
    "endpoint": (
        "change_endpoint", "pause_endpoint", "enable_endpoint", "disable_endpoint", "delete_endpoint", "rotate_secret",
        "test_send", "send_snapshot", "plan_replay",
    ),
    "delivery": ("resend", "reemit", "cancel_delivery"),
    "message": ("reveal_payload",),
    "run": ("run_replay", "pause_replay", "resume_replay", "cancel_replay"),
}  # fmt: skip
OTHER_FIELDS = {
    "change_endpoint": {"rate_per_s": "7"},
    "send_snapshot": {"subject": "account"},
    "plan_replay": {"since": "2026-11-21 00:00", "until": "2026-11-21 11:00"},
}


def attack(door: Door) -> Attempts:
    """Preview every action with foreign ids, and with ids that are none."""
    with door.cast.storage.bulk.write() as bulk:
        bulk.put(outage(KESTREL))
    foreign = {
        "endpoint": endpoint_id_of(KESTREL, "main"),
        "delivery": delivery_id_of(KESTREL, "msg_kestrelmiss000", "main"),
        "message": "msg_kestrelmiss000",
        "run": foreign_run(door),
    }
    engineer = engineer_inside(door)
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for name, verbs in TRIES.items():
        for verb in verbs:
            for value in (foreign[name], f"{foreign[name][:4]}{'0' * 26}", "' OR 1=1 --", "../../kestrel"):
                fields = {**OTHER_FIELDS.get(verb, {}), name: value, **WHY, "step": "preview"}
                answer = attempts.post(engineer, f"/t/nordwind/actions/webhook.{verb}", fields)
                assert "kestrel.example" not in answer.text
    return attempts
