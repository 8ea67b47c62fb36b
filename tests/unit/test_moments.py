"""Days and moments are written in one way."""

from datetime import UTC, date, datetime

from console.domain.moments import day_of, minute_of, short_day


def test_it_writes_a_day_with_its_month_by_name() -> None:
    assert day_of(date(2027, 3, 5)) == "5 Mar 2027"
    assert short_day(date(2027, 12, 31)) == "31 Dec"


def test_it_writes_a_moment_to_the_minute_with_its_zone() -> None:
    moment = datetime(2027, 3, 5, 9, 5, 59, tzinfo=UTC)
    assert minute_of(moment) == "5 Mar 2027, 09:05 UTC"
    assert day_of(moment) == "5 Mar 2027"
