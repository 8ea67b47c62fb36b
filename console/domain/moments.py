"""Days and moments as people read them, on pages, in previews, sentences and letters alike: always in UTC."""

from datetime import date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def short_day(day: date) -> str:
    """Return a day whose year is known: `5 Mar`."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def day_of(day: date) -> str:
    """Return a day, also that of a moment: `5 Mar 2027`."""
    return f"{short_day(day)} {day.year}"


def minute_of(moment: datetime) -> str:
    """Return a moment to the minute: `5 Mar 2027, 09:30 UTC`."""
    return f"{day_of(moment)}, {moment.hour:02}:{moment.minute:02} UTC"
