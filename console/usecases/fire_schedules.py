"""Queue what comes again and again: one job for each slot, however many processes look at the clock."""

from datetime import datetime, timedelta

from console.domain.jobs import JobDraft, Schedule
from console.usecases.house import House
from console.usecases.job_kinds import RECURRING


def _keep(house: House, *, now: datetime) -> None:
    """Store a schedule for everything that comes again, or bring its interval up to date."""
    with house.store.write() as unit:
        for each in RECURRING:
            unit.jobs.put_schedule(Schedule(id=each.id, kind=each.kind, every_s=each.every_s, next_at=now, is_on=True))


def fire_schedules(house: House) -> int:
    """Queue the jobs of slots that have come and return how many; slots that were slept through fire once."""
    now = house.clock.now()
    with house.store.read() as unit:
        known = unit.jobs.schedules()
    if not {(each.id, each.every_s) for each in RECURRING} <= {(each.id, each.every_s) for each in known}:
        _keep(house, now=now)
        with house.store.read() as unit:
            known = unit.jobs.schedules()
    due = [each for each in known if each.is_on and each.next_at <= now]
    if not due:
        return 0
    with house.store.write() as unit:
        return sum(
            unit.jobs.fire(
                each,
                slot=each.next_at,
                next_at=next_slot(each, now),
                draft=JobDraft(kind=each.kind, key=f"schedule:{each.id}:{each.next_at:%Y%m%dT%H%M%S}"),
            )
            for each in due
        )


def next_slot(schedule: Schedule, now: datetime) -> datetime:
    """Return the first slot after now; slots stay where the first one put them."""
    passed = (now - schedule.next_at) // timedelta(seconds=schedule.every_s)
    return schedule.next_at + timedelta(seconds=schedule.every_s) * (passed + 1)
