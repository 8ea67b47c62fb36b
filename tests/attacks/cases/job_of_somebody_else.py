"""A job is given to another tenant or person, reached through a tenant's address, or repeated without a right to it."""

from tests.attacks.door import TICKET, Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside
from tests.web.webhook_stage import dead_job

CHECKLIST = ("V8.2.1", "V8.2.2", "V8.4.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Move the row, use the wrong address, and be the wrong person."""
    job = dead_job(door.cast)
    belt = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    for column, value in (("tenant", "ten_other"), ("actor", "stf_other"), ("payload", "{}"), ("kind", "x")):
        belt.sql(f"UPDATE job SET {column} = ? WHERE id = ?", value, job)
    engineer = engineer_inside(door)
    lost = door.attempts(404, "request.refused", code="unknown_action")
    asked = {"job": job, **WHY, "step": "preview"}
    for verb in ("retry", "discard"):
        lost.post(engineer, f"/t/nordwind/actions/job.{verb}", asked)
    lost.post(engineer, "/actions/webhook.pause_endpoint", {"endpoint": "x", **WHY, "step": "preview"})
    agent = door.enter("support_agent")
    barred = door.attempts(403, "request.refused", code="role_missing")
    reason = {name: value for name, value in TICKET.items() if name.startswith("reason")}
    for verb in ("retry", "discard"):
        barred.post(agent, f"/actions/job.{verb}", {"job": job, **reason, "step": "preview"})
    return belt, lost, barred
