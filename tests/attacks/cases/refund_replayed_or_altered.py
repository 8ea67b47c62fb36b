"""The command of an approved refund is altered where it lies, or its job is run a second time."""

from console.domain.decisions import Deny, DenyCode
from console.usecases.asking import denied
from console.usecases.run_jobs import run_due_jobs
from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till
from tests.billing_writer import ModelProvider

CHECKLIST = ("V15.4.2", "V2.3.4", "V2.2.2")
WRITE = "plane_provider_write"
LARGER = f"UPDATE {WRITE} SET command = replace(command, '4000', '9900'), amount_minor = 9900"


def attack(door: Door) -> tuple[Attempts, ...]:
    """Change row and job against their seat belts, run the job again, and change the row with its belt cut."""
    model = open_till(door)
    _approved(door)
    belt = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    belt.sql(LARGER)
    belt.sql(f"UPDATE {WRITE} SET idempotency_key = 'another'")
    belt.sql(f"DELETE FROM {WRITE}")
    belt.sql("UPDATE job SET payload = '{}' WHERE kind = 'billing.write'")
    run_due_jobs(door.cast.house, worker="w1")
    assert model.acted() == 1
    again = door.attempts(
        "wrong_state", settles=("job",), unrecorded="the command is settled: its job finds nothing to do"
    )
    door.sql("UPDATE job SET state = 'queued', attempts = 0, finished_at = NULL WHERE kind = 'billing.write'")
    again.ask("the job once more", lambda: _ran(door, model))
    _approved(door)
    door.unlock(WRITE)
    door.sql(f"{LARGER} WHERE state = 'wanted'")
    altered = door.attempts("wrong_state", "job.refused", settles=("job",))
    altered.ask("the job of an altered command", lambda: _ran(door, model))
    return belt, again, altered


def _approved(door: Door) -> None:
    finance = finance_inside(door)
    request = door.ask(finance, REFUND, FORTY, **WHY)
    door.vote(door.enter("finance_lead"), request)
    assert door.request(request).state == "executed"


def _ran(door: Door, model: ModelProvider) -> Deny | None:
    """Run what is due; a refusal is that the provider hears nothing of it."""
    before = len(model.calls)
    run_due_jobs(door.cast.house, worker="w2")
    heard = len(model.calls) - before
    return None if heard else denied(DenyCode.WRONG_STATE, "The provider was asked for nothing.")
