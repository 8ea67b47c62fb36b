"""`tenant.add_note`: one note under the requester's name."""

from console.actions.tenant.add_note import ACTION, Params, apply, preview
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, shown, tools


def test_it_shows_the_note_without_storing_it() -> None:
    there = FakePlane()
    with Unchanged(there):
        seen = preview(Params(text="Call them first."), tools(there))
    assert shown(seen) == {"Note": (None, "Call them first.")}
    assert (seen.facts, seen.fingerprint, seen.customer) == ({}, {}, "Nothing.")


def test_it_refuses_an_empty_note() -> None:
    given = ACTION.build({"text": " \n "})
    assert fault_of(preview, given, tools(FakePlane())) == ("text", "Write what the next person should know.")


def test_it_stores_the_note() -> None:
    there = FakePlane()
    done = apply(ACTION.build({"text": " Call them first. "}), tools(there))
    (note,) = there.kept_notes
    assert (note.author, note.text, note.at) == ("Robin", "Call them first.", NOON)
    assert done.sentence == "Note added."
