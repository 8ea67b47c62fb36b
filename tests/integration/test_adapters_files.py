"""What adapters keep in files: the signing key, checkpoints, notices; and the ticket and billing stand-ins."""

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.adapters.billing import NoProvider
from console.adapters.checkpoint_folder import FILE, CheckpointFolder
from console.adapters.notice_folder import NoNotices, NoticeFolder
from console.adapters.signing_key import FileSigningKey, SigningKeyError
from console.adapters.tickets import DemoTickets, UncheckedTickets
from console.domain.checkpoints import Checkpoint, Verifier, open_note, signed
from console.domain.errors import OutsideError
from console.domain.ids import NoticeId, StaffId, TenantId
from console.domain.reasons import ReferenceVerdict
from console.ports.outbox import Notice, NoticeSink
from console.ports.signing import CheckpointSigner, CheckpointSink
from console.ports.tickets import Tickets

NOW = datetime(2026, 11, 19, 16, 0, 5, tzinfo=UTC)
TENANT = TenantId("ten_1")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- the signing key ----------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "trail.key"
    first: CheckpointSigner = FileSigningKey.opened(file, name="sallyport/trail")
    again = FileSigningKey.opened(file, name="sallyport/trail")
    assert first.public_key == again.public_key
    assert len(first.public_key) == 32
    assert (mode_of(file), mode_of(file.parent)) == (0o600, 0o700)
    assert [each.name for each in file.parent.iterdir()] == ["trail.key"]


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: FileSigningKey.opened(tmp_path / "k", name="n").public_key, range(16)))
    assert len(keys) == 1


def test_its_signature_opens_a_checkpoint_and_no_other_does(tmp_path: Path) -> None:
    key = FileSigningKey.opened(tmp_path / "k", name="sallyport/trail")
    other = FileSigningKey.opened(tmp_path / "o", name="sallyport/trail")
    note = signed(Checkpoint("sallyport/trail", 7, b"r" * 32), key.name, public_key=key.public_key, sign=key.sign)
    verifier = Verifier(key.name, key.public_key, lambda signature, message: key.verify(message, signature))
    assert open_note(note, [verifier]).checkpoint.size == 7
    assert key.verify(b"m", key.sign(b"m"))
    assert not key.verify(b"m", other.sign(b"m"))
    assert not key.verify(b"m", b"short")


def _rsa() -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("content", [bytes, lambda: b"nonsense", _rsa], ids=["empty", "nonsense", "another kind"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: Callable[[], bytes]) -> None:
    file = tmp_path / "k"
    file.touch(mode=0o600)
    file.write_bytes(content())
    with pytest.raises(SigningKeyError, match="Ed25519"):
        FileSigningKey.opened(file, name="n")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "k"
    FileSigningKey.opened(file, name="n")
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(SigningKeyError, match="chmod 600"):
            FileSigningKey.opened(file, name="n")


def test_a_link_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    FileSigningKey.opened(tmp_path / "real", name="n")
    for target in ("real", "nothing"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(tmp_path / target)
        with pytest.raises(SigningKeyError, match="plain file"):
            FileSigningKey.opened(link, name="n")


# --- checkpoints --------------------------------------------------------------------------------------------------


def test_checkpoints_come_back_in_order_and_exactly(tmp_path: Path) -> None:
    sink: CheckpointSink = CheckpointFolder(tmp_path / "checkpoints")
    assert sink.published() == ()
    notes = [f"sallyport/trail\n{size}\ncm9vdA==\n\n— sallyport/trail c2ln\n" for size in range(5)]
    for note in notes:
        sink.publish(note)
    assert list(CheckpointFolder(tmp_path / "checkpoints").published()) == notes
    assert mode_of(tmp_path / "checkpoints" / FILE) == 0o600


def test_many_writers_lose_no_checkpoint(tmp_path: Path) -> None:
    notes = [f"note {number} " + "x" * 9_000 for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(CheckpointFolder(tmp_path).publish, notes))
    assert sorted(CheckpointFolder(tmp_path).published()) == sorted(notes)


def test_a_torn_line_is_left_behind(tmp_path: Path) -> None:
    sink = CheckpointFolder(tmp_path)
    sink.publish("first")
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"note": "sec')
    assert sink.published() == ("first",)
    sink.publish("third")
    assert sink.published() == ("first", "third")


@pytest.mark.parametrize("line", [b'{"note": 7}', b"[]}", b'{"other": "x"}', b"{{}"])
def test_a_line_that_is_no_checkpoint_is_told(tmp_path: Path, line: bytes) -> None:
    sink = CheckpointFolder(tmp_path)
    sink.publish("first")
    with (tmp_path / FILE).open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(OutsideError, match="Line 2"):
        sink.published()


def test_it_forces_the_note_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    CheckpointFolder(tmp_path).publish("note")
    assert len(synced) == 1


def test_a_folder_that_cannot_be_written_is_a_passing_failure(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    for act in (
        lambda: CheckpointFolder(tmp_path / "taken").publish("note"),
        lambda: CheckpointFolder(tmp_path / "taken").published(),
        lambda: NoticeFolder(tmp_path / "taken").send(_notice("1")),
    ):
        with pytest.raises(OutsideError) as caught:
            act()
        assert not caught.value.permanent


# --- notices ------------------------------------------------------------------------------------------------------


def _notice(number: str, sentence: str = "Mira asks for 50 seats at Acme.") -> Notice:
    return Notice(
        id=NoticeId(f"ntc_{number}"),
        to=StaffId("stf_1"),
        kind="request.filed",
        sentence=sentence,
        path="/requests/1",
        at=NOW,
    )


def test_a_notice_becomes_one_readable_file(tmp_path: Path) -> None:
    sink: NoticeSink = NoticeFolder(tmp_path / "notices")
    for number in ("1", "2", "2", "../../3"):
        sink.send(_notice(number, "Grüße 🦀"))
    files = sorted((tmp_path / "notices").iterdir())
    assert len(files) == 3
    told = json.loads(files[0].read_text("utf-8"))
    assert told["sentence"] == "Grüße 🦀"
    assert told["at"] == "2026-11-19T16:00:05+00:00"
    assert set(told) == {"id", "to", "kind", "sentence", "path", "at"}
    assert mode_of(files[0]) == 0o600
    NoNotices().send(_notice("4"))
    assert len(list((tmp_path / "notices").iterdir())) == 3


# --- stand-ins ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "verdict"),
    [
        ("SUP-48213", ReferenceVerdict.OPEN),
        ("SUP-10404", ReferenceVerdict.UNKNOWN),
        ("SUP-403", ReferenceVerdict.FOREIGN),
        ("INC-2026-1410", ReferenceVerdict.CLOSED),
        ("in_1abcDEF", ReferenceVerdict.OPEN),
        ("SUP-4041", ReferenceVerdict.OPEN),
        ("SUP-404 ", ReferenceVerdict.UNKNOWN),
        ("", ReferenceVerdict.UNKNOWN),
    ],
)
def test_the_demo_tickets_answer_by_the_number(reference: str, verdict: ReferenceVerdict) -> None:
    tickets: Tickets = DemoTickets()
    assert tickets.verdict(kind="ticket", reference=reference, tenant=TENANT) is verdict


def test_without_a_ticket_system_nothing_is_vouched_for() -> None:
    assert UncheckedTickets().verdict(kind="ticket", reference="SUP-1", tenant=TENANT) is ReferenceVerdict.UNCHECKED


def test_without_a_provider_billing_says_so_for_good() -> None:
    with pytest.raises(OutsideError, match="billing provider") as caught:
        NoProvider().invoice_of_number(customer="cus_1", number="INV-1")
    assert caught.value.permanent
