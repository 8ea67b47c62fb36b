"""The product's own jobs of demo tenants: most are done; at Acme an export failed and an import is stuck."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.adapters.demo.sketches import Sketch
from console.domain.product_jobs import ProductJobRecord

_KINDS = (("report.usage", "reports"), ("search.reindex", "search"), ("export.members", "exports"))
_SHARE = 0.3
_NO_SPACE = (
    "ExportError: could not store members.csv for ada.winter@acme.example: "
    "storage answered 507 (token=st_live_91c2f0, bucket acme-exports)"
)


def jobs(sketch: Sketch, *, now: datetime) -> Iterator[ProductJobRecord]:
    """Yield the newest jobs of some tenants; Acme always has some."""
    dice = sketch.draw("job")
    is_acme = sketch.index == 0
    if not is_acme and dice.random() > _SHARE:
        return
    if is_acme:
        yield from _acme(sketch, now=now)
    for number in range(12 if is_acme else 1 + int(dice.random() * 4)):
        kind, queue = _KINDS[int(dice.random() * len(_KINDS))]
        began = max(sketch.created_at, now - timedelta(hours=3 + number * 7, minutes=int(dice.random() * 60)))
        is_failed = not is_acme and dice.random() < 1 / 20
        yield ProductJobRecord(
            tenant=sketch.external_id,
            external_id=f"{sketch.external_id}-job-{number}",
            job=kind,
            queue=queue,
            state="failed" if is_failed else "succeeded",
            attempts=5 if is_failed else 1,
            created_at=began,
            run_at=began,
            finished_at=min(began + timedelta(seconds=4 + int(dice.random() * 200)), now),
            last_error="TimeoutError: the database did not answer within 30 s" if is_failed else None,
        )


def _acme(sketch: Sketch, *, now: datetime) -> Iterator[ProductJobRecord]:
    """Yield an export that gave up, an import that has been running for hours, and one job that waits behind it."""
    export = now - timedelta(minutes=52)
    yield ProductJobRecord(
        tenant=sketch.external_id, external_id=f"{sketch.external_id}-job-export", job="export.members",
        queue="exports", state="failed", attempts=5, created_at=export, run_at=export + timedelta(minutes=31),
        finished_at=export + timedelta(minutes=32), last_error=_NO_SPACE,
    )  # fmt: skip
    stuck = now - timedelta(hours=6, minutes=14)
    yield ProductJobRecord(
        tenant=sketch.external_id, external_id=f"{sketch.external_id}-job-import", job="import.contacts",
        queue="imports", state="running", attempts=3, created_at=stuck, run_at=stuck + timedelta(minutes=9),
        last_error="WorkerLost: no sign of life from the worker after row 8,192",
    )  # fmt: skip
    waiting = now - timedelta(minutes=17)
    yield ProductJobRecord(
        tenant=sketch.external_id, external_id=f"{sketch.external_id}-job-next", job="import.contacts",
        queue="imports", state="queued", attempts=0, created_at=waiting, run_at=waiting,
    )  # fmt: skip
