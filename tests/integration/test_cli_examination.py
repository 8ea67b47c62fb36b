"""What an examination says of staff, and who may prove the trail."""

import json
from dataclasses import replace
from pathlib import Path

from console.domain.decisions import Deny
from console.domain.ids import PersonKey, StaffId
from console.domain.staff import Actor, Role
from console.ports.trail import EntryFilter
from console.storage.house import Storage
from console.usecases.examine_house import Found, Level, examine_house, quorums
from console.usecases.verify_trail import verify_trail
from tests.databases import CountedIds, HandClock, opened_storage, sqlite_url
from tests.integration.cast import ANNA, PaperSigner, PaperSink, hire, member_of_staff
from tests.integration.cli_works import house_of


def examined(storage: Storage) -> dict[str, Found]:
    return {found.subject: found for found in examine_house(house_of(storage, HandClock(), CountedIds()))}


def test_it_warns_of_a_single_administrator(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        assert examined(storage)["staff"].level is Level.FAIL
        with storage.store.write() as unit:
            unit.staff.add(member_of_staff(StaffId("stf_ada"), Role.ADMINISTRATOR))
        assert examined(storage)["staff"].level is Level.WARN


def test_it_is_content_when_every_quorum_can_be_met(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        with storage.store.write() as unit:
            for number in range(3):
                for role in Role:
                    unit.staff.add(member_of_staff(StaffId(f"stf_{role}{number}"), role))
        found = examined(storage)
        assert {each.level for each in found.values()} == {Level.OK}
        assert found["staff"].sentence == "3 administrators are active."


def test_it_warns_when_one_person_would_have_to_sit_twice(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        with storage.store.write() as unit:
            for role in Role:  # enough for every other action
                for number in range(3 * (role not in {Role.SUPPORT_LEAD, Role.FINANCE_LEAD, Role.ON_CALL})):
                    unit.staff.add(member_of_staff(StaffId(f"stf_{role}{number}"), role))
            for number in range(2):
                unit.staff.add(member_of_staff(StaffId(f"stf_lead{number}"), Role.SUPPORT_LEAD))
        with storage.store.read() as unit:
            said = [found.sentence for found in quorums(house_of(storage, HandClock(), CountedIds()), unit)]
    # Two leads seem enough for one seat each of tenant.suspend, but one of them may be who asks.
    assert any(sentence.startswith("tenant.suspend cannot always be approved") for sentence in said), said


def test_it_warns_of_a_local_account_where_no_local_passwords_are_allowed(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        member = replace(member_of_staff(StaffId("stf_ada"), Role.ADMINISTRATOR), person=PersonKey("local|stf_ada"))
        with storage.store.write() as unit:
            unit.staff.add(member)
        assert examined(storage)["sign-in"].sentence.endswith("has no password and cannot sign in.")
        found = examine_house(replace(house_of(storage, HandClock(), CountedIds()), local_passwords=False))
    (told,) = [each for each in found if each.subject == "sign-in"]
    assert (told.level, "allow no local passwords" in told.sentence) == (Level.WARN, True)


def test_it_lets_nobody_prove_the_trail_without_the_role(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        hire(storage)
        house = house_of(storage, HandClock(), CountedIds())
        anna = member_of_staff(ANNA, Role.SUPPORT_AGENT)
        actor = Actor(staff=ANNA, person=anna.person, name=anna.name, email=anna.email, roles=anna.roles)
        sequencer = storage.sequencer(PaperSigner(), PaperSink())
        assert isinstance(verify_trail(house, sequencer, actor), Deny)
        with storage.store.read() as unit:
            (entry,) = unit.reader.page(EntryFilter(outcome="denied"), before=None, limit=5)
        assert json.loads(entry.body)["action"] == "trail.read_refused"
