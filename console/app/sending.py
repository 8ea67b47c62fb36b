"""The duties that send webhooks and run jobs, as many at once as settings say."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from console.app.bridging import bridge_of
from console.app.building import Building
from console.app.providing import deliverer
from console.usecases.fan_out import fan_out
from console.usecases.fire_schedules import fire_schedules
from console.usecases.run_jobs import run_due_jobs, run_one_job
from console.usecases.send_deliveries import send_due
from console.worker.loop import RUNNER_EVERY_S, SENDER_EVERY_S, SWEEP_EVERY_S, Duty

_GRACE = timedelta(seconds=15)  # what an outside queue has not brought by then, the sweep takes


def sending_duties(building: Building) -> Iterator[Duty]:
    """Return the senders, the runners of jobs and what feeds them."""
    house, settings = building.house, building.settings
    me = house.ids.new("wrk")
    yield Duty(name="fan_out", every_s=SENDER_EVERY_S, run=partial(fan_out, house), keeps_on=True)
    for number in range(settings.webhooks.senders):
        send = partial(send_due, house, sender=f"{me}-s{number}")
        yield Duty(name=f"send_{number}", every_s=SENDER_EVERY_S, run=send, keeps_on=True)
    brings = None if building.fake_provider is None else deliverer(settings, building.fake_provider)
    if brings is not None:  # the demo's provider tells of what it did
        yield Duty(name="provider_webhooks", every_s=SENDER_EVERY_S, run=brings.deliver_due)
    if not settings.jobs.runners:
        return
    yield Duty(name="fire_schedules", every_s=SWEEP_EVERY_S, run=partial(fire_schedules, house))
    if settings.jobs.engine == "procrastinate":
        queue = bridge_of(settings).worker(
            partial(run_one_job, house, worker=f"{me}-q"), concurrency=settings.jobs.runners
        )
        yield Duty(name="run_jobs", every_s=RUNNER_EVERY_S, run=queue.run, stop=queue.stop)
        sweep = partial(run_due_jobs, house, worker=f"{me}-w", overdue_by=_GRACE)
        yield Duty(name="sweep_jobs", every_s=SWEEP_EVERY_S, run=sweep)
        return
    for number in range(settings.jobs.runners):
        jobs = partial(run_due_jobs, house, worker=f"{me}-j{number}")
        yield Duty(name=f"run_jobs_{number}", every_s=RUNNER_EVERY_S, run=jobs, keeps_on=True)
