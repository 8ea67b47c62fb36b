"""Passwords, one-time codes, fingerprints, ids and the clock, as the ports promise them."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pyotp
import pytest

from console.adapters.clock import SystemClock
from console.adapters.common_passwords import is_common
from console.adapters.fingerprints import HmacFingerprints
from console.adapters.ids import TimeOrderedIds
from console.adapters.one_time_codes import SealedOneTimeCodes
from console.adapters.passwords import Argon2Passwords
from console.adapters.sealing import SealBrokenError
from console.ports.clock import Clock, Ids
from console.ports.secrets import Fingerprints, OneTimeCodes, Passwords

KEY = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 19, 16, 0, 5, tzinfo=UTC)
GOOD = "velvet-mango-tundra-42"
CLOCK: Clock = SystemClock()
IDS: Ids = TimeOrderedIds()
PASSWORDS: Passwords = Argon2Passwords(memory_kib=256, rounds=1, lanes=1)
CODES: OneTimeCodes = SealedOneTimeCodes(KEY)
FINGERPRINTS: Fingerprints = HmacFingerprints(KEY)


# --- passwords ----------------------------------------------------------------------------------------------------


@pytest.mark.checklist("V11.4.2")
def test_a_password_is_stored_by_a_memory_hard_function() -> None:
    stored = Argon2Passwords().hashed(GOOD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert GOOD not in stored


def test_only_the_right_password_matches() -> None:
    stored = PASSWORDS.hashed(GOOD)
    assert stored != PASSWORDS.hashed(GOOD)
    assert PASSWORDS.matches(GOOD, stored)
    for wrong in (GOOD + " ", GOOD.upper(), "", GOOD * 40, "\x00", "\ud800"):
        assert not PASSWORDS.matches(wrong, stored)
    assert not PASSWORDS.matches(GOOD, "$argon2id$broken")
    assert not PASSWORDS.matches(GOOD, None)


def test_two_spellings_of_one_text_are_one_password() -> None:
    assert PASSWORDS.matches("Straße nach Zürich am See", PASSWORDS.hashed("Straße nach Zu\u0308rich am See"))


@pytest.mark.checklist("V6.3.8")
def test_nobody_takes_as_long_as_somebody() -> None:
    passwords = Argon2Passwords(memory_kib=8 * 1024, rounds=2, lanes=1)
    stored = passwords.hashed(GOOD)

    def median(candidate: str | None) -> float:
        taken = []
        for _ in range(9):
            begun = time.process_time()
            passwords.matches("a wrong password of some length", candidate)
            taken.append(time.process_time() - begun)
        return statistics.median(taken)

    assert 0.5 < median(stored) / median(None) < 2


@pytest.mark.checklist("V6.2.1")
@pytest.mark.parametrize(
    "bad",
    ["short", "fourteenlettrs", "a" * 20, "abcabcabcabcabcabc", "passwordpassword", "P@ssw0rdP@ssw0rd1",
     "Password123456789!", "qwertyuiopasdfghjkl", "1qaz2wsx3edc4rfv", "correct horse battery staple",
     "welcome to sallyport 2026",
     "abcdefghijklmnopq", "98765432109876543", "may the force be with you!!", "123456789012345", "a" * 257,
     "mira.lindgren-is-great"],
)  # fmt: skip
def test_a_bad_new_password_is_refused_with_a_remedy(bad: str) -> None:
    fault = Argon2Passwords(memory_kib=256, rounds=1, lanes=1).fault(bad, email="mira.lindgren@sallyport.example")
    assert fault is not None
    assert fault.endswith(".")


@pytest.mark.checklist("V6.2.1")
@pytest.mark.parametrize(
    "good",
    [GOOD, "orange turtle winner thunder", "Хороший пароль длинный", "正しい馬のバッテリーステープルです",
     "kg7Xw!qL9zRt2vBn",
     "x" * 3 + "voltage-maple-drizzle" * 2, "a long passphrase that nobody else has ever written " * 4],
)  # fmt: skip
def test_a_good_new_password_needs_no_composition(good: str) -> None:
    assert PASSWORDS.fault(good) is None


@pytest.mark.checklist("V1.3.12")
def test_a_hostile_password_is_judged_at_once() -> None:
    begun = time.process_time()
    for hostile in ("qwertyu" * 36, "a1" * 128, "password" * 32, "\u0130" * 256, "abcde " * 42):
        is_common(hostile)
    assert time.process_time() - begun < 0.5


# --- one-time codes -----------------------------------------------------------------------------------------------


def test_a_code_is_good_for_its_step_and_one_either_way() -> None:
    codes = SealedOneTimeCodes(KEY)
    secret = pyotp.random_base32()
    sealed = codes.sealed(secret)
    present = int(NOW.timestamp()) // 30
    for drift, expected in ((-2, None), (-1, present - 1), (0, present), (1, present + 1), (2, None)):
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=30 * drift))
        assert codes.step_of(sealed, code, now=NOW) == expected
    assert (
        codes.step_of(sealed, f" {pyotp.TOTP(secret).at(NOW)[:3]} {pyotp.TOTP(secret).at(NOW)[3:]}", now=NOW) == present
    )


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\n", "-12345", "123456\x00"])
def test_what_is_no_code_has_no_step(typed: str) -> None:
    assert CODES.step_of(CODES.new_sealed(), typed, now=NOW) is None


def test_an_app_can_be_set_up_from_the_address() -> None:
    sealed = CODES.new_sealed()
    found = pyotp.parse_uri(CODES.provisioning_uri(sealed, account="mira@sallyport.example"))
    assert isinstance(found, pyotp.TOTP)
    assert (found.issuer, found.name) == ("Sallyport", "mira@sallyport.example")
    assert CODES.step_of(sealed, found.at(NOW), now=NOW) is not None


@pytest.mark.checklist("V13.3.1")
def test_a_sealed_secret_is_unreadable_and_cannot_be_changed() -> None:
    codes = SealedOneTimeCodes(KEY)
    sealed = codes.sealed("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert sealed != codes.sealed("JBSWY3DPEHPK3PXP")
    swapped = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for broken in (swapped, sealed[:-8], "", "v1.", "v2." + sealed[3:], "v1.ü", "v1.%%%"):
        with pytest.raises(SealBrokenError):
            codes.step_of(broken, "123456", now=NOW)
    with pytest.raises(SealBrokenError):
        SealedOneTimeCodes(KEY[::-1]).step_of(sealed, "123456", now=NOW)


# --- fingerprints, ids, clock -------------------------------------------------------------------------------------


@pytest.mark.checklist("V11.2.3")
def test_a_fingerprint_depends_on_the_key() -> None:
    assert FINGERPRINTS.of("ada@acme.example") == HmacFingerprints(KEY).of("ada@acme.example")
    assert FINGERPRINTS.of("ada@acme.example") != HmacFingerprints(KEY[::-1]).of("ada@acme.example")
    assert len(FINGERPRINTS.of("")) == 64
    with pytest.raises(ValueError, match="32"):
        HmacFingerprints("short")


def test_ids_grow_with_time_and_never_repeat() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [each for batch in pool.map(lambda _: [IDS.new("req") for _ in range(500)], range(8)) for each in batch]
    assert len(set(made)) == 4_000
    alone = [IDS.new("req") for _ in range(2_000)]
    assert alone == sorted(alone)
    assert all(len(each) == 30 and each.startswith("req_") for each in alone)
    stopped = TimeOrderedIds(lambda: 1)
    still = [stopped.new("lea") for _ in range(50)]
    assert still == sorted(set(still))


@pytest.mark.checklist("V11.5.1")
def test_an_id_has_eighty_random_bits_of_its_own() -> None:
    tails = [IDS.new("req")[-16:] for _ in range(2_000)]
    assert len(set(tails)) == 2_000
    for place in range(16):
        assert len({tail[place] for tail in tails}) == 32


@pytest.mark.parametrize("prefix", ["", "R", "req_", "a", "toolongaprefix", "re1"])
def test_an_odd_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        IDS.new(prefix)


@pytest.mark.checklist("V7.2.3")
def test_tokens_have_256_bits() -> None:
    tokens = {IDS.token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == 43 for token in tokens)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to fork")
def test_two_processes_never_make_one_id() -> None:
    ids = TimeOrderedIds()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ids.new("req").encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() != ids.new("req")
    os.close(reading)
    os.close(writing)


def test_the_clock_tells_utc_and_refuses_a_naive_source() -> None:
    assert CLOCK.now().utcoffset() == timedelta()
    paris = SystemClock(lambda: NOW.astimezone(timezone(timedelta(hours=1))))
    assert paris.now().isoformat() == "2026-11-19T16:00:05+00:00"
    with pytest.raises(ValueError, match="zone"):
        SystemClock(lambda: NOW.replace(tzinfo=None)).now()
