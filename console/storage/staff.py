"""Staff members, their roles and local credentials."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from console.domain.errors import ConflictError, NotFoundError
from console.domain.ids import PersonKey, StaffId
from console.domain.search_terms import folded
from console.domain.staff import Role, StaffKind, StaffMember
from console.ports.staff import Credentials
from console.storage.control_tables import StaffRoleRow, StaffRow
from console.storage.prepared import Prepared
from console.storage.rows import add_unless_taken, changed, found, table_of


class StoredStaff:
    """The StaffBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def get(self, staff: StaffId) -> StaffMember | None:
        """Return one staff member."""
        rows = found(self._session, _ONE, staff=staff)
        return _with_roles(rows) if rows else None

    def by_person(self, person: PersonKey) -> StaffMember | None:
        """Return the account of a natural person."""
        return self._one(select(StaffRow).where(StaffRow.person == person))

    def by_email(self, email: str) -> StaffMember | None:
        """Return the account with a sign-in address."""
        return self._one(select(StaffRow).where(StaffRow.email_folded == folded(email)))

    def page(self, *, after: StaffId | None, limit: int) -> Sequence[StaffMember]:
        """Return staff members in order of id."""
        wanted = select(StaffRow).order_by(StaffRow.id).limit(limit)
        return self._many(wanted if after is None else wanted.where(StaffRow.id > after))

    def many(self, staff: Collection[StaffId]) -> Mapping[StaffId, StaffMember]:
        """Return several staff members in one go; who is unknown is left out."""
        if not staff:
            return {}
        return {each.id: each for each in self._many(select(StaffRow).where(StaffRow.id.in_(sorted(staff))))}

    def eligible(self, roles: Collection[Role]) -> Sequence[StaffMember]:
        """Return the active persons who hold any of the roles."""
        rows = found(self._session, _ELIGIBLE, roles=[role.value for role in roles])
        return [_with_roles(list(own)) for _staff, own in groupby(rows, key=lambda row: row.id)]

    def granted_since(self, staff: StaffId, roles: Collection[Role]) -> datetime | None:
        """Return since when somebody has held any of the roles without a break, or None."""
        rows = found(self._session, _SINCE, staff=staff, roles=[role.value for role in roles])
        return rows[0].since if rows else None

    def add(self, member: StaffMember) -> None:
        """Add an account; raises ConflictError when person or address is taken."""
        values = {
            "id": member.id,
            "person": member.person,
            "name": member.name,
            "email": member.email,
            "email_folded": folded(member.email),
            "kind": member.kind,
            "is_active": member.is_active,
            "created_at": member.created_at,
            "last_seen_at": member.last_seen_at,
            "vendor": member.vendor,
        }
        if not add_unless_taken(self._session, StaffRow, values):
            message = "The person or the address has an account already."
            raise ConflictError(message, email=member.email)
        self._add_roles(member.id, dict.fromkeys(member.roles, member.created_at))

    def set_roles(self, staff: StaffId, roles: frozenset[Role], *, at: datetime) -> None:
        """Replace the roles; a kept role keeps its since-date."""
        held = set(self._roles([staff]).get(staff, ()))
        gone = [role.value for role in held - roles]
        if gone:
            changed(
                self._session,
                delete(StaffRoleRow).where(StaffRoleRow.staff == staff, StaffRoleRow.role.in_(gone)),
            )
        self._add_roles(staff, dict.fromkeys(roles - held, at))

    def set_active(self, staff: StaffId, *, is_active: bool, at: datetime) -> None:
        """Switch an account on or off."""
        self._set(staff, is_active=is_active)

    def set_profile(self, staff: StaffId, *, name: str, email: str) -> None:
        """Store the name and address that the identity provider gives; raises ConflictError for a taken address."""
        other = self.by_email(email)
        if other is not None and other.id != staff:
            message = "Another account has this address."
            raise ConflictError(message, email=email)
        self._set(staff, name=name, email=email, email_folded=folded(email))

    def set_vendor(self, staff: StaffId, vendor: str | None) -> None:
        """Store which other company pays a person, None for ours."""
        self._set(staff, vendor=vendor)

    def vendors(self) -> Sequence[tuple[str, int]]:
        """Return the vendors with how many active people each has."""
        counted = select(StaffRow.vendor, func.count()).where(StaffRow.vendor.is_not(None), StaffRow.is_active)
        rows = self._session.execute(counted.group_by(StaffRow.vendor).order_by(StaffRow.vendor))
        return [(str(vendor), many) for vendor, many in rows]

    def seen(self, staff: StaffId, at: datetime) -> None:
        """Remember the last sign-in."""
        self._set(staff, last_seen_at=at)

    def ask_to_confirm(self, staff: StaffId, *, at: datetime) -> None:
        """Want a second factor that is shown after a moment, before anything that needs a reason."""
        self._set(staff, confirm_after=at)

    def credentials(self, staff: StaffId) -> Credentials | None:
        """Return local credentials, or None where there are none."""
        row = self._session.scalar(select(StaffRow).where(StaffRow.id == staff))
        if row is None or (row.password_hash is None and row.totp_sealed is None):
            return None
        return Credentials(
            password_hash=row.password_hash, totp_sealed=row.totp_sealed, totp_last_step=row.totp_last_step
        )

    def set_credentials(self, staff: StaffId, credentials: Credentials) -> None:
        """Replace local credentials."""
        self._set(
            staff,
            password_hash=credentials.password_hash,
            totp_sealed=credentials.totp_sealed,
            totp_last_step=credentials.totp_last_step,
        )

    def accept_totp_step(self, staff: StaffId, step: int) -> bool:
        """Store a used time step by one conditional update; False means it was used before."""
        fenced = update(StaffRow).where(StaffRow.id == staff, StaffRow.totp_last_step < step)
        return changed(self._session, fenced.values(totp_last_step=step)) == 1

    def _set(self, staff: StaffId, **values: object) -> None:
        if changed(self._session, update(StaffRow).where(StaffRow.id == staff).values(**values)) != 1:
            message = "There is no such staff member."
            raise NotFoundError(message, staff=staff)

    def _add_roles(self, staff: StaffId, since: Mapping[Role, datetime]) -> None:
        rows = [{"staff": staff, "role": role.value, "since": moment} for role, moment in since.items()]
        if rows:
            self._session.execute(insert(StaffRoleRow), rows)

    def _roles(self, staff: Collection[str]) -> dict[str, set[Role]]:
        held: dict[str, set[Role]] = {}
        wanted = select(StaffRoleRow.staff, StaffRoleRow.role).where(StaffRoleRow.staff.in_(staff))
        for who, role in self._session.execute(wanted):
            held.setdefault(who, set()).add(Role(role))
        return held

    def _one(self, wanted: Select[StaffRow]) -> StaffMember | None:
        return next(iter(self._many(wanted)), None)

    def _many(self, wanted: Select[StaffRow]) -> list[StaffMember]:
        rows = self._session.scalars(wanted).all()
        roles = self._roles([row.id for row in rows]) if rows else {}
        return [_member(row, frozenset(roles.get(row.id, ()))) for row in rows]


_STAFF, _HELD = table_of(StaffRow), table_of(StaffRoleRow)
_WITH_ROLES = select(_STAFF, _HELD.c.role).select_from(_STAFF.join(_HELD, _HELD.c.staff == _STAFF.c.id, isouter=True))
_ONE = Prepared(_WITH_ROLES.where(_STAFF.c.id == bindparam("staff")))
_ELIGIBLE = Prepared(
    _WITH_ROLES.where(
        _STAFF.c.id.in_(select(StaffRoleRow.staff).where(StaffRoleRow.role.in_(bindparam("roles", expanding=True)))),
        _STAFF.c.is_active,
        _STAFF.c.kind == StaffKind.PERSON.value,
    ).order_by(_STAFF.c.id)
)
_SINCE = Prepared(
    select(_HELD.c.since)
    .where(_HELD.c.staff == bindparam("staff"), _HELD.c.role.in_(bindparam("roles", expanding=True)))
    .order_by(_HELD.c.since)
    .limit(1)
)


def _with_roles(rows: Sequence[Any]) -> StaffMember:
    """Return the one person of these rows, each of which names a role at most."""
    return _member(rows[0], frozenset(Role(row.role) for row in rows if row.role is not None))


def _member(row: Any, roles: frozenset[Role]) -> StaffMember:  # noqa: ANN401  a row, mapped or not
    return StaffMember(
        id=StaffId(row.id),
        person=PersonKey(row.person),
        name=row.name,
        email=row.email,
        roles=roles,
        kind=StaffKind(row.kind),
        is_active=row.is_active,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        confirm_after=row.confirm_after,
        vendor=row.vendor,
    )
