"""A signed link opens for its reader, whatever the product calls its members, and for nobody else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from console.domain.ids import MemberId, TenantId
from console.domain.trust.links import Link, LinkKind, link_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MEMBERS = ("mem_1", "42", "user:42", "a.b", "ada@acme.example", "../x", "Ä ö", "~x", "x" * 200)


def sign(text: str) -> str:
    return sha256(f"key {text}".encode()).hexdigest()


def link(member: str) -> Link:
    return Link(
        kind=LinkKind.CONSENT,
        tenant=TenantId("ten_acme"),
        member=MemberId(member),
        subject="cns_1",
        until=NOON + timedelta(hours=1),
    )


@pytest.mark.parametrize("member", MEMBERS)
def test_it_opens_for_its_reader(member: str) -> None:
    token = link(member).signed(sign)
    assert link_of(token, sign, now=NOON) == link(member)
    assert not set(token) & set("/?#% ")


def test_no_two_readers_have_the_same_link() -> None:
    assert len({link(member).signed(sign) for member in MEMBERS}) == len(MEMBERS)


@pytest.mark.parametrize("part", ["~", "~%%", "~gA", "", "a/b", "~" + "A" * 401])
def test_what_names_nobody_opens_nothing_though_it_is_signed(part: str) -> None:
    said = replace(link("mem_1")).signed(sign).rpartition(".")[0].replace("mem_1", part)
    assert link_of(f"{said}.{sign(f'customer link{chr(10)}{said}')}", sign, now=NOON) is None


@pytest.mark.parametrize(("was", "now"), [("consent.", "invoice."), (".cns_1.", ".cns_1.x"), (".cns_1.", ".cns_1.-")])
def test_a_link_of_another_sort_or_without_an_end_opens_nothing_though_it_is_signed(was: str, now: str) -> None:
    said = link("mem_1").signed(sign).rpartition(".")[0].replace(was, now, 1)
    assert link_of(f"{said}.{sign(f'customer link{chr(10)}{said}')}", sign, now=NOON) is None
