"""What happens at the door while something else happens, and what people type there by mistake."""

import json
from dataclasses import dataclass, replace

import pytest

from console.domain.decisions import Deny
from console.domain.staff import Origin
from console.ports.secrets import Passwords
from console.ports.staff import Credentials
from console.usecases.sign_in import sign_in_with_password
from tests.web.cast import CODES, LONG_AGO, PASSWORDS, PEOPLE, Browser, Cast

NEW = "a new password that nobody has seen"
MISTAKEN = "correct horse battery staple 5ecret"


@dataclass
class SlowPasswords:
    """Takes so long over a password that the account has new credentials meanwhile."""

    cast: Cast
    inner: Passwords

    def hashed(self, password: str) -> str:
        return self.inner.hashed(password)

    def fault(self, password: str, *, email: str = "") -> str | None:
        return self.inner.fault(password, email=email)

    def matches(self, password: str, stored: str | None) -> bool:
        who = PEOPLE["support_agent"]
        fresh = Credentials(
            password_hash=self.inner.hashed(NEW), totp_sealed=CODES.sealed(who.secret), totp_last_step=-1
        )
        with self.cast.house.store.write() as unit:
            unit.staff.set_credentials(who.id, fresh)
        return self.inner.matches(password, stored)


@dataclass
class DeactivatingPasswords(SlowPasswords):
    """Takes so long over a password that the account is deactivated meanwhile."""

    def matches(self, password: str, stored: str | None) -> bool:
        with self.cast.house.store.write() as unit:
            unit.staff.set_active(PEOPLE["support_agent"].id, is_active=False, at=self.cast.clock.now())
        return self.inner.matches(password, stored)


@pytest.mark.parametrize("passwords", [SlowPasswords, DeactivatingPasswords], ids=["a new password", "no account"])
def test_nobody_is_in_whose_account_changed_while_they_signed_in(cast: Cast, passwords: type[SlowPasswords]) -> None:
    who = PEOPLE["support_agent"]
    house = replace(cast.house, passwords=passwords(cast, PASSWORDS))
    answer = sign_in_with_password(
        house, email=who.email, password=who.password, code=cast.code("support_agent"), origin=Origin()
    )
    assert isinstance(answer, Deny)
    with cast.house.store.read() as unit:
        assert unit.sessions.live_of(who.id, cast.clock.now()) == []
    assert (cast.count("staff.sign_in"), cast.count("staff.sign_in_refused")) == (0, 1)


def test_it_keeps_nothing_of_a_password_that_was_typed_as_an_address(cast: Cast, stranger: Browser) -> None:
    stranger.get("/sign-in")
    for typed in (MISTAKEN, MISTAKEN.upper(), PEOPLE["support_agent"].email):
        answer = stranger.post("/sign-in", {"email": typed, "password": "x", "code": "000000"})
        assert answer.status_code in {401, 422}, answer.text
    told = [entry["targets"][0]["id"] for entry in cast.entries("staff.sign_in_refused")]
    assert "5ecret" not in json.dumps(cast.entries()).lower()
    with cast.house.store.read() as unit:
        assert unit.throttles.count("sign_in", MISTAKEN, since=LONG_AGO) == 0
    assert sorted(each.startswith("nobody-") for each in told) == [False, True, True]
    assert len(set(told)) == 2
