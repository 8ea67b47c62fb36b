"""What every form of the kit promises: which tokens, keys and clocks it believes."""

from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.kit.fake_console import CLIENT
from tests.kit.products import World
from tests.kit.scenes import scene

__all__ = ["scene"]

# Tokens that cannot be believed.


def forged(scene: World, what: str) -> str:
    console, row = scene.console, scene.console.start(mode="write")
    now = int(console.clock.at)
    stranger = OKPKey.generate_key("Ed25519", parameters={"kid": console.keys[-1].kid or ""})
    changes: dict[str, dict[str, Any]] = {
        "foreign issuer": {"iss": "http://127.0.0.1:9"},
        "foreign audience": {"aud": "prod_other"},
        "several audiences": {"aud": [CLIENT, "prod_other"]},
        "expired": {"iat": now - 900, "nbf": now - 900, "exp": now - 601},
        "future": {"iat": now + 120, "nbf": now + 120, "exp": now + 300},
        "not yet": {"nbf": now + 200},
        "too long a life": {"exp": now + 301},
        "no end": {"exp": None},
        "end is a text": {"exp": str(now + 60)},
        "end is true": {"exp": True},
        "no actor": {"act": None},
        "nested actor": {"act": {"sub": "stf_1", "name": "x", "act": {"sub": "stf_2"}}},
        "actor without name": {"act": {"sub": "stf_1"}},
        "no subject": {"sub": ""},
        "no tenant": {"tenant": None},
        "other scope": {"scope": "read write admin"},
        "scope is a list": {"scope": ["read"]},
    }
    if what in changes:
        return console.token(row, **changes[what])
    headers: dict[str, dict[str, Any]] = {
        "other kind": {"typ": "JWT"},
        "unknown kid": {"kid": "key-99"},
        "its own key": {"jwk": stranger.as_dict()},
    }
    if what in headers:
        return console.token(row, header=headers[what], key=stranger if what == "its own key" else None)
    if what == "strange key":
        return console.token(row, key=stranger)
    head, claims, signature = console.token(row).split(".")
    if what == "altered":
        other = console.token(console.start(subject="m-root")).split(".")[1]
        return f"{head}.{other}.{signature}"
    if what == "unsigned":
        return f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."
    return {"cut": f"{head}.{claims}", "no token": "x", "letters": "à.b.c", "long": "a" * 5_000}[what]


FORGED = (
    "foreign issuer", "foreign audience", "several audiences", "expired", "future", "not yet", "too long a life",
    "no end", "end is a text", "end is true", "no actor", "nested actor", "actor without name", "no subject",
    "no tenant", "other scope", "scope is a list", "other kind", "unknown kid", "its own key", "strange key", "altered",
    "unsigned", "cut", "no token", "letters", "long",
)  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_it_believes_no_token_that_is_not_exactly_right(scene: World, what: str) -> None:
    scene.carry(forged(scene, what))
    for _ in range(2):
        seen = scene.browser.open("/members")
        assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "token_refused")
    assert scene.told.ran == []
    assert scene.console.count("POST /product/introspect") == 0
    assert scene.console.count("POST /product/token") == 0


def test_it_believes_the_token_that_the_others_are_made_from(scene: World) -> None:
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(scene.console.token(scene.console.start(), aud=[CLIENT]))
    assert scene.browser.open("/members").status == 200


def test_it_asks_for_an_unknown_key_once_in_thirty_seconds(scene: World) -> None:
    scene.enter()
    scene.browser.open("/members")
    keys = "GET /.well-known/jwks.json"
    for number in range(20):
        scene.carry(scene.console.token(scene.console.start(), header={"kid": f"key-{90 + number}"}))
        assert scene.browser.open("/members").status == 401
    assert scene.console.count(keys) == 1
    scene.console.clock.pass_by(31)
    for number in range(20):
        scene.carry(scene.console.token(scene.console.start(), header={"kid": f"key-{90 + number}"}))
        assert scene.browser.open("/members").status == 401
    assert scene.console.count(keys) == 2


def test_it_follows_a_rotation_and_drops_what_a_withdrawn_key_signed(scene: World) -> None:
    scene.enter()
    old = scene.browser.cookies["sallyport-acting"]
    scene.browser.open("/members")
    scene.console.clock.pass_by(31)
    scene.console.rotate()
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(old)
    assert scene.browser.open("/members").status == 200
    del scene.console.keys[0]
    scene.console.clock.pass_by(301)
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 200
    scene.carry(old)
    assert scene.browser.open("/members").get("X-Impersonation-Refused") == "token_refused"


@pytest.mark.parametrize("skew", [-30, -20, 20, 29])
def test_it_bears_a_clock_that_is_a_little_wrong(scene: World, skew: int) -> None:
    scene.console.clock.skew = skew
    scene.enter()
    for _ in range(10):
        scene.console.clock.pass_by(100)
        assert scene.browser.open("/members").status == 200


@pytest.mark.parametrize("skew", [-3_600, -31])
def test_it_refuses_when_its_clock_is_too_wrong(scene: World, skew: int) -> None:
    scene.console.clock.skew = skew
    scene.carry(scene.console.token(scene.console.start()))
    assert scene.browser.open("/members").status == 401
