"""An administrator sets a colleague's password and second factor, to sign in as that colleague."""

from functools import partial

from console.domain.ids import PersonKey
from console.domain.staff import Actor, Role, StaffKind
from console.usecases.set_credentials import set_credentials
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V8.2.1", "V6.3.4")
PASSWORD = "a long pass phrase 42 herons"


def attack(door: Door) -> Attempts:
    """Ask for it as an administrator, and as a service account with the same role."""
    attempts = door.attempts("role_missing", "staff.credentials_refused", code="role_missing")
    victim, admin = PEOPLE["finance_lead"], PEOPLE["administrator"]
    for kind in (StaffKind.PERSON, StaffKind.SERVICE):
        actor = Actor(
            staff=admin.id, person=PersonKey(f"local|{admin.id}"), name=admin.name, email=admin.email,
            roles=frozenset({Role.ADMINISTRATOR}), kind=kind, stepped_up_at=door.cast.clock.now(),
        )  # fmt: skip
        asked = partial(set_credentials, door.cast.house, actor, email=victim.email, password=PASSWORD)
        attempts.ask(f"new credentials by a {kind.value}", asked)
    return attempts
