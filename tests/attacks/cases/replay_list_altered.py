"""The frozen list of a bulk replay is altered after somebody approved it, and before."""

from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import WHY, engineer_inside, planned

CHECKLIST = ("V15.4.2", "V2.3.4", "V2.2.2")
RUN = "/t/nordwind/actions/webhook.run_replay"
SWAP = "UPDATE plane_webhook_run_item SET delivery = 'whd_other' WHERE run = ? AND position = 1"


def attack(door: Door) -> tuple[Attempts, ...]:
    """Change a row of the list against its seat belt, without it after the approval, and without it before."""
    run, other = planned(door), planned(door)
    door.run_by_hand("webhook.run_replay")
    engineer = engineer_inside(door)
    request = door.ask(engineer, RUN, {"run": run}, **WHY)
    door.vote(door.enter("on_call"), request)
    belt = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    belt.sql(SWAP, run)
    belt.sql("UPDATE plane_webhook_run SET digest = '0', planned = 1 WHERE id = ?", run)
    door.unlock("plane_webhook_run_item")
    door.sql(SWAP, run)
    door.sql(SWAP, other)
    running = door.attempts(
        409, "request.execute_refused", code="precondition_stale", settles=("request", "request_vote", "notice", "vote")
    )
    running.post(engineer, f"/requests/{request}/execution")
    asking = door.attempts(422, "request.refused", code="bad_parameter")
    asking.post(engineer, RUN, {"run": other, **WHY, "step": "preview"})
    return belt, running, asking
