"""Somebody in finance takes every sealed file there is, one after another, to carry the books away."""

from console.domain.periods import PeriodState
from tests.attacks.door import Attempts, Door
from tests.web.period_stage import OCTOBER, period_in

CHECKLIST = ("V2.4.1",)


def attack(door: Door) -> Attempts:
    """Take one file more than an hour allows; an hour later it works again."""
    period_in(door.cast, PeriodState.CLOSED)
    finance = door.enter("finance")
    now, house, file = door.cast.clock.now(), door.cast.house, f"/reconciliation/periods/{OCTOBER}/files/invoices.csv"
    assert finance.get(file).status_code == 200
    with house.store.write() as unit:
        for _ in range(house.book.limits.files_per_hour - 1):
            unit.throttles.hit("files", door.staff("finance"), at=now)
    attempts = door.attempts(429, "throttle.refused", code="throttled")
    for _ in range(3):
        assert "Content-Disposition" not in attempts.get(finance, file).headers
    door.cast.clock.pass_by(minutes=61)
    assert door.enter("finance").get(file).status_code == 200
    return attempts
