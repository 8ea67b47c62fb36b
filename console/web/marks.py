"""The small marks that stand by the hundred on a page: icons, badges, moments, amounts; drawn without a template.

A macro of a few words costs ten times what a function costs. The only module that writes markup as Python: whatever is
put in goes through `escape`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from console.domain.moments import day_of, minute_of, short_day
from console.web.security import nonce

_ONE_WORD = re.compile(r"[A-Za-z0-9_.:-]+")
# By type too: a text and the markup that equals it must never share what was drawn.
_kept = lru_cache(maxsize=4_096, typed=True)
_STATES = {
    "draft": ("", "pencil", "Draft"),
    "pending": ("info", "hourglass", "Waiting for approval"),
    "approved": ("ok", "badge-check", "Approved"),
    "executing": ("info", "loader", "Running"),
    "executed": ("ok", "circle-check", "Executed"),
    "failed": ("stop", "octagon-alert", "Failed"),
    "rejected": ("stop", "circle-x", "Rejected"),
    "cancelled": ("", "circle-slash", "Cancelled"),
    "expired": ("", "timer", "Expired"),
    "expired_pending": ("", "timer", "Expired unapproved"),
    "expired_approved": ("", "timer", "Expired unexecuted"),
    "stale": ("warn", "git-compare-arrows", "Out of date"),
    "revoked": ("stop", "ban", "Revoked"),
    "outcome_unknown": ("warn", "circle-help", "Outcome unknown"),
    "due": ("warn", "eye", "Review due"),
    "overdue": ("stop", "eye", "Review overdue"),
    "flagged": ("stop", "flag", "Flagged"),
    "ok": ("ok", "circle-check", "OK"),
    "unanswered": ("warn", "eye", "Unanswered"),
    "harmless": ("ok", "circle-check", "Harmless"),
    "confirmed": ("stop", "flag", "Confirmed"),
    "open": ("ok", "door-open", "Open"),
    "ended": ("", "circle-slash", "Ended"),
    "idle": ("", "timer", "Ended idle"),
    "active": ("ok", "circle-check", "Active"),
    "trialing": ("info", "circle-dashed", "Trial"),
    "trial": ("info", "circle-dashed", "Trial"),
    "past_due": ("warn", "triangle-alert", "Past due"),
    "suspended": ("warn", "pause", "Suspended"),
    "closed": ("", "circle-slash", "Closed"),
    "deactivated": ("stop", "ban", "Deactivated"),
    "invited": ("info", "send", "Invited"),
    "unpaid": ("stop", "receipt", "Unpaid"),
    "approve": ("ok", "check", "Approves"),
    "reject": ("stop", "x", "Rejects"),
    "void": ("", "circle-slash", "Void"),
    "allow": ("ok", "shield-check", "Allowed"),
    "deny": ("stop", "ban", "Refused"),
    "refused": ("stop", "ban", "Refused"),
    "success": ("ok", "circle-check", "Done"),
    "error": ("stop", "octagon-alert", "Failed"),
    "fault": ("stop", "octagon-alert", "Failed"),
    "queued": ("info", "hourglass", "Queued"),
    "sending": ("info", "loader", "Being sent"),
    "retry_scheduled": ("warn", "calendar-clock", "Retry scheduled"),
    "held": ("warn", "circle-pause", "Held"),
    "delivered": ("ok", "circle-check", "Delivered"),
    "exhausted": ("stop", "octagon-alert", "Gave up"),
    "suppressed": ("", "circle-slash", "Suppressed"),
    "paused": ("warn", "circle-pause", "Paused"),
    "disabled": ("stop", "ban", "Disabled"),
    "deleted": ("", "circle-slash", "Deleted"),
    "counting": ("info", "loader", "Being planned"),
    "planned": ("info", "list-checks", "Planned"),
    "running": ("info", "loader", "Running"),
    "finished": ("ok", "circle-check", "Finished"),
    "waiting": ("", "hourglass", "Waiting"),
    "released": ("info", "send", "Handed over"),
    "sent": ("ok", "circle-check", "Sent"),
    "skipped": ("warn", "circle-slash", "Skipped"),
    "succeeded": ("ok", "circle-check", "Done"),
    "dead": ("stop", "octagon-alert", "Dead"),
    "discarded": ("", "circle-slash", "Discarded"),
    "received": ("info", "hourglass", "Waiting"),
    "processed": ("ok", "circle-check", "Processed"),
    "ignored": ("", "circle-slash", "Ignored"),
    "quarantined": ("warn", "shield-alert", "Quarantined"),
    "counting_down": ("stop", "siren", "Counting down"),
    "withdrawn": ("", "circle-slash", "Withdrawn"),
    "used": ("ok", "check", "Used"),
    "standing": ("stop", "octagon-alert", "Stands"),
    "lifted": ("ok", "circle-play", "Lifted"),
    "rehearsing": ("info", "loader", "Being rehearsed"),
    "rehearsed": ("ok", "circle-check", "Rehearsed"),
    "verified": ("ok", "shield-check", "Verified"),
    "unverified": ("warn", "shield-alert", "Not verified"),
}
_EFFECTS = {
    "read": ("", "eye", "Read"),
    "write": ("info", "pencil", "Write"),
    "dangerous": ("stop", "triangle-alert", "Dangerous"),
}
_OUTCOMES = {
    "success": ("ok", "circle-check", "Done"),
    "denied": ("stop", "ban", "Refused"),
    "failed": ("stop", "octagon-alert", "Failed"),
    "unknown": ("warn", "circle-help", "Not known"),
}


def hx() -> Markup:
    """Return the attribute without which hx-csp strips every hx- attribute of an element."""
    return Markup('hx-nonce="{}"').format(nonce())


class Marks:
    """Every mark, as templates/components hand them on; the same call gives the same markup."""

    def __init__(self, address: Callable[[str], str]) -> None:
        self._sprite = escape(address("icons/lucide.svg"))
        self.icon = _kept(self._icon)
        self.badge = _kept(self._badge)
        self.state = _kept(self._state)
        self.when = _kept(_when)
        self.kbd = _kept(_kbd)
        self.copyable = _kept(self._copyable)
        self.day = _kept(self._day)
        self.minute = _kept(_minute)
        self.countdown = _kept(self._countdown)
        self.number = _kept(self._number)
        self.money = _kept(self._money)
        self.monogram = _kept(self._monogram)
        self.option = _kept(self._option)

    def effect(self, name: str) -> Markup:
        """Return the badge of what an action does: read, write or dangerous."""
        kind, sign, word = _EFFECTS[name]
        return self.badge(word, kind, sign)

    def options(self, choices: Iterable[Mapping[str, object]], value: object) -> Markup:
        """Return what a select offers, of which one is chosen."""
        chosen, option = str(value), self.option
        return Markup("").join([option(each["value"], each["label"], str(each["value"]) == chosen) for each in choices])

    def outcome(self, name: str) -> Markup:
        """Return the badge of an entry's outcome."""
        kind, sign, word = _OUTCOMES[name]
        return self.badge(word, kind, sign)

    def _day(self, moment: datetime) -> Markup:
        """Return a day."""
        named = day_of(moment)
        return Markup(f'<time datetime="{moment:%Y-%m-%d}">{named}</time>')  # noqa: S704  digits and names of months

    def _countdown(self, until: datetime, label: str, over: str = "ended") -> Markup:
        """Return what ticks until a moment; without script the moment stands."""
        said = escape(label)
        clock = f"{until.hour:02}:{until.minute:02}"
        return Markup(  # noqa: S704  both texts are escaped, the rest is digits
            f'<span class="countdown" role="timer" data-until="{_stamp(until)}" data-label="{said}" '
            f'data-over="{escape(over)}" title="{said}: until {short_day(until)}, '
            f'{clock}:{until.second:02} UTC">{self.icon("timer", size="small")}'
            f"<span data-left>until {clock} UTC</span></span>"
        )

    def _number(self, value: int, unit: str = "") -> Markup:
        """Return a number with its thousands apart."""
        return Markup(f'<span class="num">{value:,}{" " if unit else ""}{escape(unit)}</span>')  # noqa: S704  escaped

    def _money(self, minor: int, currency: str, exponent: int = 2) -> Markup:
        """Return an amount of minor units."""
        whole, cents = divmod(abs(minor), 10**exponent)
        amount = f"{'−' if minor < 0 else ''}{whole:,}{f'.{cents:0{exponent}d}' if exponent else ''}"  # noqa: RUF001  a minus sign
        return Markup(  # noqa: S704  escaped
            f'<span class="money">{amount} <span class="money__currency">{escape(currency)}</span></span>'
        )

    def _monogram(self, initials: str, hue: int, size: str = "") -> Markup:
        """Return a tenant's letters on its hue."""
        kind = f" monogram--{escape(size)}" if size else ""
        return Markup(  # noqa: S704  escaped
            f'<span class="monogram{kind} hue--{escape(hue)}" aria-hidden="true">{escape(initials)}</span>'
        )

    def _option(self, value: object, label: object, is_chosen: bool) -> Markup:  # noqa: FBT001  as templates call it
        chosen = " selected" if is_chosen else ""
        # An option that says its own value needs no other; two hundred of them are half as long.
        own = "" if value == label and _ONE_WORD.fullmatch(str(value)) else f' value="{escape(value)}"'
        return Markup(f"<option{own}{chosen}>{escape(label)}</option>")  # noqa: S704  escaped

    def _icon(self, name: str, label: str = "", size: str = "") -> Markup:
        kind = f" icon--{escape(size)}" if size else ""
        spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
        return Markup(  # noqa: S704  escaped
            f'<svg class="icon{kind}" {spoken}><use href="{self._sprite}#{escape(name)}"/></svg>'
        )

    def _badge(self, label: str, kind: str = "", icon: str = "") -> Markup:
        colour = f" badge--{escape(kind)}" if kind else ""
        sign = self.icon(icon) if icon else ""
        return Markup(f'<span class="badge{colour}">{sign}{escape(label)}</span>')  # noqa: S704  escaped

    def _state(self, name: str, label: str = "") -> Markup:
        kind, sign, word = _STATES.get(name, ("", "circle-dot", name.replace("_", " ").capitalize()))
        return self.badge(label or word, kind, sign)

    def _copyable(self, text: str, shown: str = "", label: str = "Copy") -> Markup:
        whole, seen, said = escape(text), escape(shown or text), escape(label)
        title = f' title="{whole}"' if seen != whole else ""
        return Markup(  # noqa: S704  escaped
            f'<span class="copyable"><span class="copyable__text"{title}>{seen}</span>'
            f'<button class="copyable__button needs-script" type="button" data-copy="{whole}" title="{said}">'
            f'<span class="unseen">{said} {seen}</span>{self.icon("copy", size="small")}'
            "</button></span>"
        )


def _kbd(keys: str) -> Markup:
    return Markup(" ").join(Markup('<kbd class="kbd">{}</kbd>').format(key) for key in keys.split(" "))


def _when(moment: datetime, is_relative: bool = True) -> Markup:  # noqa: FBT001, FBT002  as templates call it
    day = short_day(moment)
    clock = f"{moment.hour:02}:{moment.minute:02}"
    relative = " data-relative" if is_relative else ""
    return Markup(  # noqa: S704  digits and names of months
        f'<time datetime="{_stamp(moment)}" title="{day} {moment.year}, {clock}:{moment.second:02} UTC"{relative}>'
        f"{day}, {clock} UTC</time>"
    )


def _minute(moment: datetime) -> Markup:
    return Markup(f'<time datetime="{_stamp(moment)}">{minute_of(moment)}</time>')  # noqa: S704  digits and names of months


def _stamp(moment: datetime) -> str:
    date = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    return f"{date}T{moment.hour:02}:{moment.minute:02}:{moment.second:02}Z"
