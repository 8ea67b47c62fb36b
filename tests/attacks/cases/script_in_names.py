"""Tenant names and notes hold what a browser would run, were it not shown as text."""

import re
from dataclasses import replace

from console.domain.imports import NoteRecord, TenantRecord
from tests.attacks.door import Attempts, Door
from tests.databases import NOON
from tests.web.world import world

CHECKLIST = ("V1.2.1", "V3.2.2")
PAYLOADS = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<svg/onload=alert(1)>", "';alert(1)//",
    "<iframe srcdoc='<b>x'>", "</title><h1>x", "{{constructor}}<b>", "<a href=javascript:alert(1)>x</a>",
)  # fmt: skip
ELEMENT = re.compile(r"<(img|iframe|b>|h1 ?>x|svg/|a href=.?javascript|script>alert)", re.IGNORECASE)


def attack(door: Door) -> Attempts:
    """Store each as a name and as a note, then read every page that shows them."""
    attempts = door.attempts(200, unrecorded="nothing is refused: it is a name, and it is shown as one")
    tenant = next(record for record in world() if isinstance(record, TenantRecord))
    agent = door.inside()
    for number, payload in enumerate(PAYLOADS):
        with door.cast.storage.bulk.write() as bulk:
            note = NoteRecord(
                tenant=tenant.external_id, external_id=f"x{number}", author=payload, text=payload, at=NOON
            )
            bulk.put([replace(tenant, name=payload), note])
        for path in ("/t/nordwind/", "/t/nordwind/notes", "/search?q=nordwind", "/", "/palette?q=nordwind"):
            answer = attempts.get(agent, path)
            assert ELEMENT.search(answer.text) is None, (path, payload)
            assert payload not in answer.text or not set(payload) & set("<>"), (path, payload)
    return attempts
