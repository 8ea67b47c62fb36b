"""A one-use code is brought twice, too late, by another browser, by another client, and guessed."""

import secrets

from tests.attacks.door import Attempts, Door
from tests.attacks.product import call
from tests.web.product_stage import CODE_TYPE, EXCHANGE, Kit, begun, handed_over

CHECKLIST = ("V10.1.2", "V15.4.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Exchange codes that were taken from an address bar, a log or a proxy."""
    agent = door.inside()
    sid = begun(door.cast)

    def form(code: str, verifier: str) -> dict[str, str]:
        return {"grant_type": EXCHANGE, "subject_token": code, "subject_token_type": CODE_TYPE,
                "code_verifier": verifier}  # fmt: skip

    replayed = door.attempts(400, "impersonation.refused")
    verifier = secrets.token_urlsafe(48)
    code = handed_over(agent, sid, verifier)
    assert Kit(door.cast).exchange(code, verifier).status_code == 200
    call(replayed, "/product/token", form(code, verifier))
    burned = door.attempts(400, "impersonation.refused", settles=("impersonation_code",))
    for other in (secrets.token_urlsafe(48), "", "short"):
        call(burned, "/product/token", form(handed_over(agent, sid, verifier), other))
    late = handed_over(agent, sid, verifier)
    door.cast.clock.pass_by(seconds=61)
    call(burned, "/product/token", form(late, verifier))
    guessed = door.attempts(400, "product.refused")
    for guess in ("", "code", secrets.token_urlsafe(32), "\x00", "c" * 5_000):
        call(guessed, "/product/token", form(guess, verifier))
    foreign = door.attempts(401, "product.refused")
    call(foreign, "/product/token", form(handed_over(agent, sid, verifier), verifier), client=("other", "x" * 32))
    return replayed, burned, guessed, foreign
