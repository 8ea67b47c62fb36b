"""A demo's folder: made once, by one process at a time, and begun anew where the last attempt was killed."""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from console.adapters.demo.generator import PLANES
from console.adapters.demo.staff import demo_environ, demo_staff
from console.adapters.fake_stripe.book import Book
from console.app import demo
from console.app.demo import fill
from console.app.demo_making import DemoRefusedError, is_made, making
from console.settings import Settings, load_settings
from tests.integration.stage import rows
from tests.web.cast import PASSWORDS

TENANTS = 25


class Killed(BaseException):
    """What stops a process in the middle of its work, whatever it was about to do."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(demo_environ(tmp_path, planes=PLANES))


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with patch("console.app.building.Argon2Passwords", lambda: PASSWORDS):  # what hashing costs is no subject here
        yield


def counted(settings: Settings) -> tuple[object, object, object]:
    """Return how many tenants, members' keys and colleagues a folder holds."""
    asked = (
        "SELECT count(*) FROM directory_tenant",
        "SELECT count(*) FROM directory_key WHERE kind = 'member_email'",
        "SELECT count(*) FROM staff",
    )
    tenants, members, staff = (rows(settings.database_url, each)[0][0] for each in asked)
    return tenants, members, staff


@pytest.mark.parametrize("dies_in", ["_hired", "_compare", "open_what_is_watched"])
def test_it_begins_anew_where_the_last_attempt_was_killed(settings: Settings, dies_in: str) -> None:
    with patch.object(demo, dies_in, side_effect=Killed), pytest.raises(Killed):
        fill(settings, demo_staff(), tenants=TENANTS + 5)
    assert not is_made(settings)
    people = demo_staff()  # whoever was hired before the end had passwords that nobody was told
    fill(settings, people, tenants=TENANTS)
    assert is_made(settings)
    assert counted(settings) == (TENANTS, TENANTS * 10, len(people))
    assert [file.name for file in settings.var.glob("unfinished*")] == []


def test_it_is_made_once(settings: Settings) -> None:
    fill(settings, demo_staff(), tenants=TENANTS, compares=False)
    before = counted(settings)
    fill(settings, demo_staff(), tenants=TENANTS + 5, compares=False)
    assert counted(settings) == before


def test_it_waits_for_nobody_who_makes_the_same_folder(settings: Settings) -> None:
    settings.var.mkdir(exist_ok=True)
    with (settings.var / "unfinished.txt").open("a", encoding="utf-8") as theirs:
        theirs.write("theirs")
        theirs.flush()
        fcntl.flock(theirs, fcntl.LOCK_EX)
        (settings.var / "sallyport.db").write_bytes(b"theirs")
        with pytest.raises(DemoRefusedError, match="Another process"), making(settings, tenants=1):
            pytest.fail("two processes make one folder")
    assert (settings.var / "sallyport.db").read_bytes() == b"theirs"


def test_it_takes_away_no_database_that_no_attempt_of_its_own_made(settings: Settings) -> None:
    found = settings.var / "sallyport.db"
    found.write_bytes(b"somebody's")
    for _attempt in range(2):
        with pytest.raises(Killed), making(settings, tenants=1):
            raise Killed
    assert found.read_bytes() == b"somebody's"


def test_it_makes_no_world_that_another_process_just_made(settings: Settings) -> None:
    (settings.var / "world.txt").write_text("25 tenants", encoding="utf-8")
    (settings.var / "sallyport.db").write_bytes(b"theirs")
    with pytest.raises(DemoRefusedError, match="just made"), making(settings, tenants=1):
        pytest.fail("it was made already")
    assert (settings.var / "sallyport.db").read_bytes() == b"theirs"


def test_the_providers_lists_are_in_order_when_its_book_is_opened_after_a_filling_that_died(tmp_path: Path) -> None:
    def lists(book: Book) -> set[str]:
        return {
            str(name) for (name,) in book.rows("SELECT name FROM sqlite_master WHERE name LIKE 'object!_%' ESCAPE '!'")
        }

    book = Book(tmp_path / "provider.sqlite3")
    before = lists(book)
    book.begin_filling()
    assert lists(book) == {"object_id"}
    book.close()
    again = Book(tmp_path / "provider.sqlite3")
    assert lists(again) == before
    assert len(before) == 5
    again.close()


def test_it_shows_every_long_part(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    fill(settings, demo_staff(), tenants=TENANTS)
    told = capsys.readouterr().err
    parts = (
        "Making the databases", "Hiring the staff", "Making the demo world", "Keeping the demo world",
        "Putting the provider's lists in order", "Reconciling what is broken", "Living the days before",
    )  # fmt: skip
    places = [told.find(part) for part in parts]
    assert -1 not in places
    assert sorted(places[:2] + places[4:]) == places[:2] + places[4:]
