"""The members of demo tenants, traps among them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from console.adapters.demo.sketches import Sketch
from console.domain.imports import MemberRecord

_ROLES = ("member",) * 7 + ("admin", "billing", "viewer")
# Of Acme, whom every story is about: two of one name, a right-to-left name, emoji, a formula, 60 characters.
_ACME = (
    ("Ada Okafor", "ada.okafor"),
    ("Ada Okafor", "ada.okafor2"),
    ("ליאת אבן־צור", "liat.evenzur"),
    ("مُحَمَّد عبد الرحمن", "mohammed.abdulrahman"),
    ("Zoë 🦀 Krüger", "zoe.krueger"),
    ("=cmd|' /C calc'!A0", "calc"),
    ("Maximiliana Alexandrina von und zu Hohenfels-Wittgenstein II", "maximiliana"),
    ("<script>alert('member')</script>", "script"),
    ("Siobhán O'Dwyer", "siobhan.odwyer"),
    ("王小明", "xiaoming.wang"),
)


def members(sketch: Sketch, count: int, *, now: datetime) -> Iterator[MemberRecord]:
    """Yield the members of a tenant; the first is its owner, and no two share an address."""
    dice = sketch.draw("member")
    taken: set[str] = set()
    span = max((now - sketch.created_at).days, 1)
    traps = _ACME if sketch.index == 0 else ()
    for number in range(count):
        name, local = traps[number] if number < len(traps) else _person(sketch, dice)
        if local in taken:
            local = f"{local}.{number}"
        taken.add(local)
        joined = sketch.created_at + timedelta(seconds=int(dice.random() * span * 86_000))
        is_active = number == 0 or dice.random() < 0.94
        seen = _seen(dice, joined, now=now) if dice.random() < 0.92 else None
        yield MemberRecord(
            tenant=sketch.external_id,
            external_id=f"{sketch.external_id}-{number + 1}",
            name=name,
            email=f"{local}@{sketch.domain}",
            phone=f"{sketch.tongue.dial} {int(dice.random() * 9000) + 1000}" if dice.random() < 0.4 else None,
            role="owner" if number == 0 else _ROLES[int(dice.random() * len(_ROLES))],
            is_active=is_active,
            joined_at=joined,
            last_seen_at=seen,
        )


def _person(sketch: Sketch, dice: Random) -> tuple[str, str]:
    tongue = sketch.tongue
    given, given_ascii = tongue.given[int(dice.random() * len(tongue.given))]
    family, family_ascii = tongue.family[int(dice.random() * len(tongue.family))]
    return tongue.full(given, family), f"{given_ascii}.{family_ascii}"


def _seen(dice: Random, joined: datetime, *, now: datetime) -> datetime:
    """Return a last visit, mostly within days, never before the person joined."""
    ago = timedelta(seconds=int(dice.random() ** 4 * 90 * 86_400))
    return max(joined, now.replace(microsecond=0) - ago)
