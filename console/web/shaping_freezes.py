"""Freezes as the page of the kill switch shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.domain.freezes import Door, Freeze, FreezeScope, FreezeState, Sighting
from console.domain.ids import StaffId
from console.usecases.offer_actions import Offer
from console.usecases.read_freezes import FreezesPage
from console.web.shaping import View
from console.web.shaping_tenants import placed_links

_SCOPES = {
    FreezeScope.PERSON: "One person",
    FreezeScope.VENDOR: "One vendor",
    FreezeScope.TENANT: "One tenant",
    FreezeScope.ALL: "Everything",
}


def freezes_view(page: FreezesPage, offers: Sequence[Offer]) -> View:
    """Return what stands first, then the drills, then what is over."""
    links = placed_links(offers, None, "freezes")
    return {
        "actions": [link for link in links if link["key"] != "freeze.lift"],
        "may_lift": any(link["key"] == "freeze.lift" for link in links),
        "standing": [_freeze(each, page, offers) for each in page.standing],
        "past": [
            _freeze(each, page, offers)
            for each in page.newest
            if not each.is_drill and each.state_at(page.now) is FreezeState.LIFTED
        ],
        "drills": [_drill(each, page) for each in page.newest if each.is_drill],
        "vendors": [{"name": name, "many": many} for name, many in page.vendors],
    }


def _freeze(freeze: Freeze, page: FreezesPage, offers: Sequence[Offer]) -> View:
    lifting = [
        link
        for link in placed_links(offers, None, "freezes", {"freeze": freeze.id})
        if link["key"] == "freeze.lift" and freeze.state_at(page.now) is FreezeState.STANDING
    ]
    return {
        "name": freeze.name,
        "scope": _SCOPES[freeze.scope],
        "state": freeze.state_at(page.now).value,
        "reference": freeze.reason.reference,
        "note": freeze.reason.note,
        "by": _setter(freeze, page.names),
        "at": freeze.set_at,
        "ended": freeze.ended,
        "lifted_at": freeze.lifted_at,
        "lifted_by": "" if freeze.lifted_by is None else page.names.get(freeze.lifted_by, freeze.lifted_by),
        "lift": lifting[0] if lifting else None,
    }


def _setter(freeze: Freeze, names: Mapping[StaffId, str]) -> str:
    return "A signal" if freeze.set_by is None else names.get(freeze.set_by, freeze.set_by)


def _drill(freeze: Freeze, page: FreezesPage) -> View:
    sightings = {each.door: each for each in page.sightings.get(freeze.id, ())}
    slowest = max((each.at for each in sightings.values()), default=None)
    return {
        "by": _setter(freeze, page.names),
        "at": freeze.set_at,
        "until": freeze.until,
        "state": freeze.state_at(page.now).value,
        "reference": freeze.reason.reference,
        "doors": [{"label": door.label, "took": _took(freeze.set_at, sightings.get(door))} for door in Door],
        "everywhere": "" if slowest is None or len(sightings) < len(Door) else _words(slowest - freeze.set_at),
    }


def _took(begun: datetime, seen: Sighting | None) -> str:
    return "" if seen is None else _words(seen.at - begun)


def _words(took: timedelta) -> str:
    """Return a duration in seconds and thousandths."""
    return f"{took.total_seconds():.3f} s"
