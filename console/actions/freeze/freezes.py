"""What the actions on freezes share: whom a freeze would lie over, and who is told."""

from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId, NoticeId, StaffId
from console.domain.staff import Role, StaffKind, is_vendor
from console.ports.action_tools import Tools
from console.ports.actions import Choice, Fault
from console.ports.outbox import Notice

PATH = "/freezes"
PLACE = "freezes"
_TOLD = (Role.ADMINISTRATOR, Role.ON_CALL, Role.SECURITY_AUDITOR)
_LABELS = {
    FreezeScope.PERSON: "One person, by their address",
    FreezeScope.VENDOR: "Everybody of one vendor or contractor group",
    FreezeScope.TENANT: "One tenant, by its slug",
    FreezeScope.ALL: "Everything",
}


def scope_choices() -> tuple[Choice, ...]:
    """Return the scopes of a freeze, the narrowest first."""
    return tuple(Choice(value=scope.value, label=_LABELS[scope]) for scope in FreezeScope)


def named(scope: FreezeScope, subject: str, tools: Tools) -> tuple[str, str]:
    """Return id and name of whom a freeze would lie over. Raises: Fault for somebody or something unknown."""
    match scope:
        case FreezeScope.ALL:
            if subject:
                raise Fault("subject", "Leave it empty: everything has no name.")
            return "", "Everything"
        case FreezeScope.PERSON:
            member = tools.books().staff.by_email(subject)
            if member is None or member.kind is StaffKind.OPERATOR:
                raise Fault("subject", "Give the address with which a colleague signs in.")
            return member.id, member.name
        case FreezeScope.VENDOR:
            known = dict(tools.books().staff.vendors())
            if not is_vendor(subject) or subject not in known:
                raise Fault("subject", f"Give one of the vendors: {', '.join(known) or 'there are none'}.")
            return subject, f"Vendor {subject}"
        case FreezeScope.TENANT:
            row = tools.books().directory.by_slug(subject)
            if row is None:
                raise Fault("subject", "Give the slug of a tenant.")
            return row.id, f"Tenant {row.slug}"


def lies_over(scope: FreezeScope, subject: str, staff: StaffId, tools: Tools) -> bool:
    """Return whether a freeze lies over one person as such, and not only over everything."""
    if scope is FreezeScope.PERSON:
        return subject == staff
    member = tools.books().staff.get(staff)
    return scope is FreezeScope.VENDOR and member is not None and member.vendor == subject


def standing(freeze: FreezeId, tools: Tools) -> Freeze:
    """Return a freeze that stands. Raises: Fault."""
    found = tools.books().freezes.get(freeze)
    if found is None or found.is_drill or found.lifted_at is not None:
        raise Fault("freeze", "Choose one of the freezes that stand.")
    return found


def already(scope: FreezeScope, subject: str, tools: Tools) -> bool:
    """Return whether exactly this is frozen."""
    return any((each.scope, each.subject) == (scope, subject) for each in tools.books().freezes.standing())


def tell(tools: Tools, *, kind: str, sentence: str) -> None:
    """Tell administrators, on-call engineers and security, except for who did it."""
    books = tools.books()
    for member in books.staff.eligible(_TOLD):
        if member.id != tools.requester:
            notice = NoticeId(tools.ids.new("ntc"))
            books.outbox.add(Notice(id=notice, to=member.id, kind=kind, sentence=sentence, path=PATH, at=tools.now))
