"""A personal field shown for a minute: until when, once, counted, and never in an entry."""

import sqlite3
from contextlib import closing

import pytest

from console.domain.field_classes import revealable
from console.domain.imports import member_id_of
from tests.web.cast import Cast
from tests.web.walks import fields, opened
from tests.web.world import NORDWIND

REVEAL = "/t/nordwind/actions/member.reveal"
MEMBER = member_id_of(NORDWIND, "nordwind-m1")
CLEAR = {"email": "member1@nordwind.example", "phone": "+49 30 1234567"}
TICKET = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "SUP-48213", "reason_note": ""}


def test_there_is_a_value_to_try_for_every_personal_field() -> None:
    assert set(CLEAR) == set(revealable("plane_member"))


@pytest.mark.parametrize("field", sorted(CLEAR))
def test_it_shows_a_field_until_a_moment_once_and_a_reload_shows_nothing(cast: Cast, field: str) -> None:
    browser = opened(cast)
    assert CLEAR[field] not in browser.get("/t/nordwind/members").text
    form = fields(browser.get(f"{REVEAL}?member={MEMBER}&field={field}"), REVEAL)
    sent = {**form, "member": MEMBER, "field": field, **TICKET, "step": "ask"}
    shown = browser.post(REVEAL, sent)
    assert (shown.status_code, CLEAR[field] in shown.text) == (200, True)
    until = cast.clock.now().replace(microsecond=0)
    assert f"Until {until:%H:}" in shown.text
    assert shown.headers["Refresh"].startswith("60; url=/t/nordwind/members")
    assert shown.headers["Cache-Control"] == "no-store"
    again = browser.post(REVEAL, sent, follow=True)
    assert CLEAR[field] not in again.text
    with closing(sqlite3.connect(str(cast.storage.engines()[0].url.database))) as raw:
        bodies = [body for (body,) in raw.execute("SELECT body FROM audit_event")]
    assert [body for body in bodies if CLEAR[field] in body] == []
    assert cast.count("action.executed") == 1
