"""Token vectors: what is wrong with a token is found whatever else is right, and our own form is the only one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, OKPKey

from console.adapters.connected_product import ConnectedProduct
from console.adapters.signing_key import SigningKeyError
from console.adapters.token_keys import FileTokenKeys
from console.domain.ids import StaffId
from console.domain.product_tokens import (
    SKEW_SECONDS,
    Party,
    TokenFault,
    challenge_of,
    claims_of,
    fault_of,
    is_challenge,
    is_state,
    sid_of,
)
from tests.databases import NOON, TestFingerprints
from tests.unit.test_impersonations import ROW

ISSUER, AUDIENCE = "https://console.example", "acme-app"
PARTY = Party(issuer=ISSUER, audience=AUDIENCE, tenant="cust-1", actor="staff_x", actor_name="Dana K., support")
CLAIMS = claims_of(ROW, PARTY, now=NOON, seconds=300, jti="jti_1")
NOW_S = int(NOON.timestamp())


@pytest.fixture
def keys(tmp_path: Path) -> FileTokenKeys:
    return FileTokenKeys.opened(tmp_path / "keys")


def fault(claims: Mapping[str, object], *, after: float = 0, grace_seconds: int = 0) -> TokenFault | None:
    now = NOON + timedelta(seconds=after)
    return fault_of(claims, issuer=ISSUER, audience=AUDIENCE, now=now, grace_seconds=grace_seconds)


def test_its_own_token_is_right() -> None:
    assert fault(CLAIMS) is None
    assert sid_of(CLAIMS) == ROW.id
    assert CLAIMS["exp"] == NOW_S + 300


def test_no_token_outlives_its_row() -> None:
    late = ROW.not_after - timedelta(seconds=10)
    assert claims_of(ROW, PARTY, now=late, seconds=300, jti="j")["exp"] == int(ROW.not_after.timestamp())


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"iss": "https://elsewhere.example"}, TokenFault.FOREIGN),
        ({"aud": "another-app"}, TokenFault.FOREIGN),
        ({"aud": [AUDIENCE, "another-app"]}, TokenFault.FOREIGN),
        ({"aud": None}, TokenFault.FOREIGN),
        ({"iat": NOW_S + SKEW_SECONDS + 1}, TokenFault.FUTURE),
        ({"nbf": NOW_S + SKEW_SECONDS + 1}, TokenFault.FUTURE),
        ({"iat": NOW_S + 10**18, "exp": NOW_S + 2 * 10**18}, TokenFault.FUTURE),
        ({"exp": NOW_S}, TokenFault.EXPIRED),
        ({"exp": NOW_S - 1}, TokenFault.EXPIRED),
        ({"exp": "never"}, TokenFault.NOT_OURS),
        ({"exp": None}, TokenFault.NOT_OURS),
        ({"exp": float(NOW_S + 300)}, TokenFault.NOT_OURS),
        ({"iat": None}, TokenFault.NOT_OURS),
        ({"sid": None}, TokenFault.NOT_OURS),
        ({"sid": ["imp_1"]}, TokenFault.NOT_OURS),
        ({"sid": ""}, TokenFault.NOT_OURS),
        ({"sid": "i" * 65}, TokenFault.NOT_OURS),
    ],
)
def test_what_is_wrong_with_a_claim_is_found(changed: dict[str, object], wrong: TokenFault) -> None:
    assert fault({**CLAIMS, **changed}) is wrong


@pytest.mark.parametrize(
    ("after", "grace", "wrong"),
    [
        (-SKEW_SECONDS, 0, None),
        (-SKEW_SECONDS - 0.001, 0, TokenFault.FUTURE),
        (299.999, 0, None),
        (300, 0, TokenFault.EXPIRED),
        (599.999, 300, None),
        (600, 300, TokenFault.EXPIRED),
    ],
)
def test_clocks_may_differ_by_seconds_and_no_more(after: float, grace: int, wrong: TokenFault | None) -> None:
    assert fault(CLAIMS, after=after, grace_seconds=grace) is wrong


def altered(token: str, place: int, change: Callable[[dict[str, object]], None]) -> str:
    """Return a token with another header or other claims under the old signature."""
    parts = token.split(".")
    plain = json.loads(urlsafe_b64decode(parts[place] + "=="))
    change(plain)
    parts[place] = urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")
    return ".".join(parts)


def test_it_reads_what_it_signed(keys: FileTokenKeys) -> None:
    assert keys.read(keys.signed(CLAIMS)) == CLAIMS


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "mem_2"}, {"act": {"sub": "staff_y", "name": "Somebody else"}}, {"scope": "read write"},
        {"exp": NOW_S + 86_400}, {"tenant": "cust-2"}, {"sid": "imp_2"},
    ],
)  # fmt: skip
def test_altered_claims_are_not_read(keys: FileTokenKeys, change: dict[str, object]) -> None:
    assert keys.read(altered(keys.signed(CLAIMS), 1, lambda claims: claims.update(change))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": "HS256"}, {"alg": "EdDSA"}, {"alg": "ed25519"}, {"alg": None},
        {"kid": "another"}, {"kid": None}, {"kid": ["x"]}, {"typ": "JWT"}, {"typ": "AT+JWT"}, {"typ": None},
        {"crit": ["b64"]}, {"jwk": {"kty": "OKP"}}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example"},
        {"zip": "DEF"}, {"cty": "JWT"},
    ],
)  # fmt: skip
def test_another_header_is_not_read(keys: FileTokenKeys, change: dict[str, object]) -> None:
    assert keys.read(altered(keys.signed(CLAIMS), 0, lambda header: header.update(change))) is None


def test_a_token_without_a_signature_is_not_read(keys: FileTokenKeys) -> None:
    unsigned = altered(keys.signed(CLAIMS), 0, lambda header: header.update({"alg": "none"}))
    assert keys.read(unsigned.rpartition(".")[0] + ".") is None


def test_the_public_key_is_no_secret_to_sign_with(keys: FileTokenKeys) -> None:
    (public,) = keys.published()["keys"]
    shared = OctKey.import_key(json.dumps(public))
    forged = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": public["kid"]}, dict(CLAIMS), shared)
    assert keys.read(forged) is None


def test_another_key_under_our_kid_is_not_believed(keys: FileTokenKeys) -> None:
    (public,) = keys.published()["keys"]
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": public["kid"]}
    forged = jwt.encode(header, dict(CLAIMS), OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"])
    assert keys.read(forged) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "x" * 5_000, "{}", "null", "\x00"])
def test_what_is_no_token_is_not_read(keys: FileTokenKeys, text: str) -> None:
    assert keys.read(text) is None


def test_claims_that_are_no_object_are_not_read(keys: FileTokenKeys, tmp_path: Path) -> None:
    (public,) = keys.published()["keys"]
    private = OKPKey.import_key((tmp_path / "keys" / "0001.pem").read_text())
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": public["kid"]}
    assert keys.read(jws.serialize_compact(header, b"[1]", private, algorithms=["Ed25519"])) is None


def test_a_rotation_keeps_old_tokens_readable_and_is_seen_by_others(keys: FileTokenKeys, tmp_path: Path) -> None:
    before, other = keys.signed(CLAIMS), FileTokenKeys.opened(tmp_path / "keys")
    kid = keys.rotate()
    assert other.read(before) == CLAIMS
    after = other.signed(CLAIMS)
    assert jws.extract_compact(after.encode()).headers()["kid"] == kid
    listed = [each["kid"] for each in other.published()["keys"]]
    assert listed[0] == kid
    assert len(listed) == 2
    assert sorted(each.name for each in (tmp_path / "keys").iterdir()) == ["0001.pub", "0002.pem"]


def test_a_retired_key_can_sign_no_more_and_is_dropped_by_removing_its_file(
    keys: FileTokenKeys, tmp_path: Path
) -> None:
    before = keys.signed(CLAIMS)
    keys.rotate()
    keys.rotate()
    assert keys.read(before) == CLAIMS
    (tmp_path / "keys" / "0001.pub").unlink()
    assert keys.read(before) is None


@pytest.mark.parametrize("spoil", ["loose", "rubbish", "gone"])
def test_keys_that_cannot_be_trusted_stop_the_start(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "keys"
    FileTokenKeys.opened(folder).rotate()
    newest = folder / "0002.pem"
    if spoil == "loose":
        newest.chmod(0o644)
    elif spoil == "rubbish":
        (folder / "0001.pub").write_text("nothing")
    else:
        newest.unlink()
    with pytest.raises(SigningKeyError):
        FileTokenKeys.opened(folder)


def test_a_verifier_answers_its_challenge() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of("short") is None
    assert challenge_of(verifier + "\n") is None
    assert is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    assert not is_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")
    assert is_state("a" * 8)
    assert not is_state("a&b=cccccc")


def test_the_product_is_known_by_name_and_secret(keys: FileTokenKeys) -> None:
    product = ConnectedProduct(
        client_id="acme-app", client_secret="s" * 32, issuer="https://c.example/", address="https://a.example/",
        callback="/cb", keys=keys, fingerprints=TestFingerprints(),
    )  # fmt: skip
    assert product.is_called_by("acme-app", "s" * 32)
    for name, secret in (("acme-app", "s" * 31), ("acme-ap", "s" * 32), ("", ""), ("\udcff", "\udcff")):
        assert not product.is_called_by(name, secret)
    assert (product.issuer, product.address) == ("https://c.example", "https://a.example")
    assert product.pseudonym(StaffId("stf_1")) == product.pseudonym(StaffId("stf_1"))
    assert product.pseudonym(StaffId("stf_1")) != product.pseudonym(StaffId("stf_2"))
    assert "stf_1" not in product.pseudonym(StaffId("stf_1"))
