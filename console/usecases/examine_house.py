"""Look over an opened house before people rely on it: staff, quorums, and whether the clock can be believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from console.actions.staff.accounts import is_local
from console.domain.ids import PersonKey
from console.domain.requests import missing_needs
from console.domain.staff import Role
from console.ports.store import ControlUnit
from console.usecases.house import House

_EARLIEST_YEAR = 2026
_LATEST_YEAR = 2100
_SLACK = timedelta(seconds=5)


class Level(StrEnum):
    """How bad a finding is; only FAIL stops a deployment."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was looked at. Shape: `remedy` is empty where all is well."""

    subject: str
    level: Level
    sentence: str
    remedy: str = ""


def examine_house(house: House) -> tuple[Found, ...]:
    """Return what is found about staff, quorums and clock; changes nothing. Raises: OutsideError."""
    with house.store.read() as unit:
        return (_administrators(house, unit), *_locked_out(house, unit), *quorums(house, unit), _clock(house, unit))


def _administrators(house: House, unit: ControlUnit) -> Found:
    found = [member for member in unit.staff.eligible((Role.ADMINISTRATOR,)) if member.is_active]
    if not found:
        remedy = "run sallyport init, or sallyport staff add with --role administrator"
        return Found(subject="staff", level=Level.FAIL, sentence="There is no active administrator.", remedy=remedy)
    if len(found) == 1:
        remedy = "add a second one: administrators approve each other's changes of staff"
        return Found(subject="staff", level=Level.WARN, sentence="There is one administrator only.", remedy=remedy)
    return Found(subject="staff", level=Level.OK, sentence=f"{len(found)} administrators are active.")


def _locked_out(house: House, unit: ControlUnit) -> Iterator[Found]:
    """Yield a warning for each local account that nobody can sign in to, for want of a password or of leave for it."""
    for member in filter(is_local, unit.staff.eligible(tuple(Role))):
        if not house.local_passwords:
            sentence = f"{member.email} is a local account, and settings allow no local passwords."
            remedy = "deactivate it, and add the person with issuer|subject of the identity provider"
        elif unit.staff.credentials(member.id) is None:
            sentence = f"{member.email} has no password and cannot sign in."
            remedy = f"run sallyport staff set-password {member.email}"
        else:
            continue
        yield Found(subject="sign-in", level=Level.WARN, sentence=sentence, remedy=remedy)


def quorums(house: House, unit: ControlUnit) -> Iterator[Found]:
    """Yield a warning for each action whose seats different people cannot all take once a requester is left out.

    Shape: whoever may ask is tried as the requester, because the same person may be wanted as a voter.
    """
    people = {member.person: member.roles for member in unit.staff.eligible(tuple(Role))}
    unmet = 0
    for key, rule in sorted(house.book.actions.items()):
        could = house.book.could[key].roles
        asking: list[PersonKey | None] = [person for person, roles in people.items() if roles & could]
        empty = {
            need
            for needs in rule.tiers.values()
            for person in asking or [None]
            for need in missing_needs(needs, {each: roles for each, roles in people.items() if each != person})
        }
        for need in sorted(empty, key=lambda need: (need.name, need.count)):
            unmet += 1
            names = " or ".join(role.value for role in sorted(need.roles))
            yield Found(
                subject="quorum",
                level=Level.WARN,
                sentence=f"{key} cannot always be approved: besides the requester it lacks {need.count} of {names}.",
                remedy=f"give {need.count} more of your people one of these roles",
            )
    if not unmet:
        yield Found(subject="quorum", level=Level.OK, sentence="Every quorum can be met without the requester.")


def _clock(house: House, unit: ControlUnit) -> Found:
    now = house.clock.now()
    newest = unit.reader.latest_checkpoint()
    remedy = "set the machine's clock and keep it by NTP: leases, votes and sessions are measured with it"
    if not _EARLIEST_YEAR <= now.year <= _LATEST_YEAR:
        return Found(subject="clock", level=Level.FAIL, sentence=f"The clock says {now:%Y-%m-%d}.", remedy=remedy)
    if newest is not None and newest.at > now + _SLACK:
        sentence = f"The clock says {now:%Y-%m-%d %H:%M}, before the newest checkpoint of {newest.at:%Y-%m-%d %H:%M}."
        return Found(subject="clock", level=Level.FAIL, sentence=sentence, remedy=remedy)
    return Found(subject="clock", level=Level.OK, sentence=f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC.")
