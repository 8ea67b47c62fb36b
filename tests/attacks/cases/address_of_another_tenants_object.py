"""The ids of another tenant's endpoint, delivery, replay and finding stand in addresses under the open tenant."""

from console.domain.imports import delivery_id_of, endpoint_id_of
from tests.attacks.door import Attempts, Door
from tests.attacks.webhooks import engineer_inside, foreign_run
from tests.web.reconciliation_stage import found
from tests.web.webhook_stage import open_for_incident, outage
from tests.web.world import KESTREL

CHECKLIST = ("V8.2.2", "V8.4.1")


def attack(door: Door) -> Attempts:
    """Ask for each page under the wrong tenant; under the right one, opened, each of them is there."""
    with door.cast.storage.bulk.write() as bulk:
        bulk.put(outage(KESTREL))
    run = foreign_run(door)
    pages = (
        f"webhooks/endpoints/{endpoint_id_of(KESTREL, 'main')}",
        f"webhooks/deliveries/{delivery_id_of(KESTREL, 'msg_kestrelmiss000', 'main')}",
        *(f"webhooks/replays/{run}{part}" for part in ("", "/list", "/progress", "/events")),
        f"findings/{found(door.cast, 'kestrel').of_tenant}",
    )
    engineer = engineer_inside(door)
    attempts = door.attempts(404, "route.refused")
    for page in pages:
        answer = attempts.get(engineer, f"/t/nordwind/{page}")
        assert "kestrel" not in answer.text.replace(page, "").lower()
    there = open_for_incident(door.cast, slug="kestrel")
    assert [there.get(f"/t/kestrel/{page}").status_code for page in pages] == [200] * len(pages)
    return attempts
