"""The operator at the machine: the actor behind commands, who lets the first administrator in and reads no tenant."""

from console.domain.ids import PersonKey, StaffId
from console.domain.staff import Actor, Origin, SignInMethod, StaffKind
from console.usecases.house import House


def operator(house: House, *, account: str, command: str) -> Actor:
    """Return the actor for a command; `account` is the operating system's account name."""
    return Actor(
        staff=StaffId(f"stf_operator_{account[:40]}"),
        person=PersonKey(f"shell|{account}"),
        name=f"Operator {account}",
        email="",
        roles=frozenset(),
        kind=StaffKind.OPERATOR,
        signed_in_by=SignInMethod.SHELL,
        stepped_up_at=house.clock.now(),
        origin=Origin(request_id=house.ids.new("cmd"), route=command, method="SHELL"),
    )
