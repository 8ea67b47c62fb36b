"""What the attacks on acting for members share: calls as the product makes them, and tokens that our key has signed."""

from base64 import b64encode
from collections.abc import Mapping

from console.domain.ids import ImpersonationId
from tests.attacks.door import Attempts, Door
from tests.products import CLIENT_ID, CLIENT_SECRET, token_keys
from tests.web.cast import Browser
from tests.web.product_stage import EXCHANGE, JWT_TYPE, Entered, Kit, entered


def inside_product(door: Door) -> tuple[Browser, Entered]:
    """Return an agent's browser, and the impersonation with which they are inside the product."""
    agent = door.enter()
    return agent, entered(door.cast, agent)


def call(
    sheet: Attempts, path: str, form: Mapping[str, str], *, client: tuple[str, str] = (CLIENT_ID, CLIENT_SECRET)
) -> None:
    """Call as the product, or as somebody who says so."""
    secret = b64encode(":".join(client).encode()).decode()
    sheet.send(sheet.door.cast.stranger(), "POST", path, data=dict(form), headers={"Authorization": f"Basic {secret}"})


def renew(sheet: Attempts, token: str) -> None:
    """Ask for the next token."""
    call(sheet, "/product/token", {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT_TYPE})


def claims(inside: Entered) -> dict[str, object]:
    """Return the claims of the token that the product holds."""
    found = token_keys().read(inside.token)
    assert found is not None
    return dict(found)


def still_runs(door: Door, sid: ImpersonationId) -> bool:
    """Return whether nothing has ended an impersonation."""
    with door.cast.house.store.read() as unit:
        row = unit.impersonations.get(sid)
    return row is not None and row.ended_by is None


def kit(door: Door) -> Kit:
    """Return the product's side."""
    return Kit(door.cast)
