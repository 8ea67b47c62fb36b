"""A checkpoint survives the trip through a signed note, and every malformed or foreign note is refused by name."""

import base64
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from console.domain.checkpoints import (
    LARGEST_SIZE,
    Checkpoint,
    Note,
    NoteError,
    NoteFault,
    Signature,
    Verifier,
    also_signed,
    key_id,
    open_note,
    signed,
)

NAME = "console.example/audit/1"
OLD = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEW = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
HERE = Checkpoint(NAME, 20_852_163, sha256(b"root").digest())


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def verifier(key: Ed25519PrivateKey, name: str = NAME) -> Verifier:
    def verify(signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public(key)).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return Verifier(name, public(key), verify)


def note(checkpoint: Checkpoint = HERE, key: Ed25519PrivateKey = OLD, name: str = NAME) -> str:
    return signed(checkpoint, name, public_key=public(key), sign=key.sign)


def line(name: str = NAME, raw: bytes = b"\x00" * 68) -> str:
    return f"— {name} {base64.b64encode(raw).decode()}\n"


def fault_of(text: str, *pinned: Verifier, origin: str | None = None) -> str:
    with pytest.raises(NoteError) as caught:
        open_note(text, pinned or (verifier(OLD),), origin=origin)
    assert caught.value.code == "note_refused"
    assert str(caught.value)
    return str(caught.value.facts["fault"])


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    st.integers(0, LARGEST_SIZE),
    st.binary(min_size=32, max_size=32),
)
def test_it_reads_back_every_checkpoint(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint
    opened = open_note(note(checkpoint), [verifier(OLD)], origin=origin)
    assert opened.checkpoint == checkpoint
    assert opened.note.render() == note(checkpoint)


def test_it_writes_exactly_three_lines_a_blank_one_and_a_signature() -> None:
    lines = note().split("\n")
    assert lines[:4] == [NAME, "20852163", base64.b64encode(HERE.root).decode(), ""]
    assert lines[4].startswith(f"— {NAME} ")
    assert lines[5:] == [""]
    raw = base64.b64decode(lines[4].split(" ")[2])
    assert raw[:4] == sha256(NAME.encode() + b"\n\x01" + public(OLD)).digest()[:4] == key_id(NAME, public(OLD))
    OLD.public_key().verify(raw[4:], HERE.text().encode())


def test_it_reads_the_example_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert Checkpoint.parse(text).size == 20_852_163
    assert Checkpoint.parse(text).text() == text


def test_it_opens_with_either_key_while_keys_change() -> None:
    both = also_signed(note(), NAME, public_key=public(NEW), sign=NEW.sign)
    for pinned in ([OLD], [NEW], [OLD, NEW], [NEW, OLD]):
        opened = open_note(both, [verifier(key) for key in pinned])
        assert {each.public_key for each in opened.signers} == {public(key) for key in pinned}
        assert opened.checkpoint == HERE


def test_it_ignores_signatures_of_unknown_keys() -> None:
    for foreign in (line(), line("witness.example/w", b"\x01" * 2424), line(raw=key_id(NAME, public(NEW)) + b"x")):
        head, _, tail = note().rpartition("— ")
        opened = open_note(f"{head}{foreign}— {tail}", [verifier(OLD)])
        assert [each.public_key for each in opened.signers] == [public(OLD)]
        assert len(opened.note.signatures) == 2


def test_it_counts_a_repeated_signature_once() -> None:
    doubled = note() + note().rpartition("\n\n")[2]
    assert len(open_note(doubled, [verifier(OLD)]).signers) == 1


def test_it_refuses_a_note_that_no_pinned_key_signed() -> None:
    assert fault_of(note(), verifier(NEW)) == NoteFault.NO_KNOWN_KEY
    assert fault_of(note(), verifier(OLD, "other.example")) == NoteFault.NO_KNOWN_KEY
    assert fault_of(note(name="other.example")) == NoteFault.NO_KNOWN_KEY
    with pytest.raises(NoteError):
        open_note(note(), [])


def test_it_refuses_another_log() -> None:
    assert fault_of(note(), origin="console.example/audit/2") == NoteFault.OTHER_ORIGIN


def test_it_spoils_the_note_when_a_known_signature_fails() -> None:
    forged = Signature(NAME, key_id(NAME, public(NEW)), OLD.sign(HERE.text().encode())).line()
    assert fault_of(note() + forged, verifier(OLD), verifier(NEW)) == NoteFault.BAD_SIGNATURE
    short = Signature(NAME, key_id(NAME, public(OLD)), b"short").line()
    assert fault_of(note() + short) == NoteFault.BAD_SIGNATURE


def test_it_asks_no_verifier_about_a_signature_of_the_wrong_length() -> None:
    lax = Verifier(NAME, public(OLD), lambda _signature, _message: True)
    for length in (1, 63, 65):
        bent = Note(HERE.text(), (Signature(NAME, key_id(NAME, public(OLD)), bytes(length)),)).render()
        assert fault_of(bent, lax) == NoteFault.BAD_SIGNATURE


def test_it_refuses_every_flipped_bit() -> None:
    raw = note().encode()
    for at in range(len(raw)):
        for bit in (0, 3, 6):
            bent = bytearray(raw)
            bent[at] ^= 1 << bit
            try:
                text = bent.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(NoteError):
                open_note(text, [verifier(OLD)])


def test_it_refuses_the_signature_of_another_text() -> None:
    tail = note().rpartition("\n\n")[2]
    for other in (
        Checkpoint(NAME, 1, HERE.root),
        Checkpoint(NAME, HERE.size, bytes(32)),
        Checkpoint("x", 1, HERE.root),
    ):
        assert fault_of(f"{other.text()}\n{tail}") == NoteFault.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", NoteFault.NO_SIGNATURES),
        (HERE.text(), NoteFault.NO_SIGNATURES),
        (HERE.text() + "\n", NoteFault.NO_SIGNATURES),
        (note()[:-1], NoteFault.NO_SIGNATURES),
        (HERE.text() + line(), NoteFault.NO_SIGNATURES),
        (note() + "\n", NoteFault.NO_SIGNATURES),
        (note().replace("\n", "\r\n"), NoteFault.CONTROL_CHARACTER),
        (note() + "\x00", NoteFault.CONTROL_CHARACTER),
        (note() + "\t\n", NoteFault.CONTROL_CHARACTER),
        (note() + "\udc80\n", NoteFault.CONTROL_CHARACTER),
        ("x" * 70_000 + note(), NoteFault.TOO_LONG),
        (note() + line() * 16, NoteFault.TOO_MANY_SIGNATURES),
        (note().replace("— ", "- "), NoteFault.SIGNATURE_LINE),
        (note().replace("— ", "—"), NoteFault.SIGNATURE_LINE),
        (note() + "— nothing\n", NoteFault.SIGNATURE_LINE),
        (note() + "— \n", NoteFault.SIGNATURE_LINE),
        (note() + line(""), NoteFault.KEY_NAME),
        (note() + line("a+b"), NoteFault.KEY_NAME),
        (note() + line("a\u00a0b"), NoteFault.KEY_NAME),
        (note() + line("a\u2003b"), NoteFault.KEY_NAME),
        (note() + line("a b"), NoteFault.BASE64),
        (note() + line().replace("A=", "B="), NoteFault.BASE64),
        (note() + "— a AAAA=\n", NoteFault.BASE64),
        (note() + "— a é\n", NoteFault.BASE64),
        (note() + "— a \n", NoteFault.BASE64),
        (note() + "— a AAAAAA==\n", NoteFault.SIGNATURE_LENGTH),
    ],
)
def test_it_refuses_a_malformed_note_and_says_why(text: str, fault: NoteFault) -> None:
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", NoteFault.CHECKPOINT_LINES),
        ("o\n1\n", NoteFault.CHECKPOINT_LINES),
        (HERE.text()[:-1], NoteFault.CHECKPOINT_LINES),
        (HERE.text() + "extension\n", NoteFault.CHECKPOINT_LINES),
        ("\n" + HERE.text().partition("\n")[2], NoteFault.ORIGIN),
        (HERE.text().replace("2085", "02085"), NoteFault.SIZE),
        (HERE.text().replace("2085", "+2085"), NoteFault.SIZE),
        (HERE.text().replace("2085", "-2085"), NoteFault.SIZE),
        (HERE.text().replace("20852163", ""), NoteFault.SIZE),
        (HERE.text().replace("20852163", "1_0"), NoteFault.SIZE),
        (HERE.text().replace("20852163", "٣"), NoteFault.SIZE),
        (HERE.text().replace("20852163", str(LARGEST_SIZE + 1)), NoteFault.SIZE),
        (HERE.text().replace("20852163", "9" * 5000), NoteFault.SIZE),
        ("o\n1\nAAAA\n", NoteFault.ROOT),
        ("o\n1\nAAA\n", NoteFault.BASE64),
        ("o\n1\n" + "A" * 42 + "B=\n", NoteFault.BASE64),
        ("o\n1\n" + "A" * 21 + "-" + "A" * 21 + "=\n", NoteFault.BASE64),
    ],
)
def test_it_refuses_a_malformed_checkpoint_even_when_signed(text: str, fault: NoteFault) -> None:
    with pytest.raises(NoteError) as caught:
        Checkpoint.parse(text)
    assert caught.value.facts["fault"] == fault
    if text.endswith("\n"):
        signature = Signature(NAME, key_id(NAME, public(OLD)), OLD.sign(text.encode()))
        assert fault_of(Note(text, (signature,)).render()) == fault


@pytest.mark.parametrize(
    ("origin", "size", "root", "fault"),
    [
        ("", 1, bytes(32), NoteFault.ORIGIN),
        ("a\nb", 1, bytes(32), NoteFault.ORIGIN),
        ("a\tb", 1, bytes(32), NoteFault.ORIGIN),
        ("a\ud800", 1, bytes(32), NoteFault.ORIGIN),
        ("a", -1, bytes(32), NoteFault.SIZE),
        ("a", LARGEST_SIZE + 1, bytes(32), NoteFault.SIZE),
        ("a", 1, bytes(31), NoteFault.ROOT),
    ],
)
def test_it_never_makes_a_checkpoint_that_cannot_be_read_back(
    *, origin: str, size: int, root: bytes, fault: NoteFault
) -> None:
    with pytest.raises(NoteError) as caught:
        Checkpoint(origin, size, root)
    assert caught.value.facts["fault"] == fault


def test_it_refuses_keys_and_signatures_of_the_wrong_form() -> None:
    for name, key, sign, fault in [
        ("a b", public(OLD), OLD.sign, NoteFault.KEY_NAME),
        ("", public(OLD), OLD.sign, NoteFault.KEY_NAME),
        ("a+b", public(OLD), OLD.sign, NoteFault.KEY_NAME),
        (NAME, b"short", OLD.sign, NoteFault.PUBLIC_KEY),
        (NAME, public(OLD), lambda _: b"", NoteFault.SIGNATURE_LENGTH),
    ]:
        with pytest.raises(NoteError) as caught:
            signed(HERE, name, public_key=key, sign=sign)
        assert caught.value.facts["fault"] == fault
