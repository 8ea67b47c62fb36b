"""The way out of the house against real sockets: what may not be called is not, and no receiver does harm."""

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.adapters import outbound_names
from console.adapters.demo.receiver import Receiver
from console.adapters.outbound_addresses import address_fault, networks, split_url
from console.adapters.outbound_calls import CallFailedError, GuardedCalls
from console.adapters.outbound_http import GuardedOutbound, OutboundRules
from console.adapters.outbound_names import UnansweredNameError, answered_within
from console.domain.webhooks import SHOWN_BODY_BYTES, AttemptOutcome

LOOPBACK = networks(["127.0.0.0/8"])
PUBLIC = "93.184.215.14"
UNSPECIFIED = "0.0.0.0"  # noqa: S104  it is refused

# operations-domain 3.6: every row, and what Python 3.11 calls global though it is not
BAD = [
    UNSPECIFIED, "127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:a00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fe80::1%lo",
    "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "not an address",
]  # fmt: skip
GOOD = [PUBLIC, "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1", "198.17.0.1",
        "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1"]  # fmt: skip
# what the system's resolver makes loopback of; asked in a process without the suite's fence
OPENED: list[GuardedOutbound] = []
NUMBERS = ["0x7f.1", "0x7f000001", "2130706433", "127.1", "017700000001", "0177.0.0.1", "127.0.1", "0"]


def outbound(resolve: Callable[[str, int], Sequence[str]] | None = None, **rules: object) -> GuardedOutbound:
    chosen: dict[str, object] = {"ports": frozenset(range(1, 65_536)), "https_only": False, "timeout_s": 1.0} | rules
    if resolve is not None:
        chosen["resolve"] = resolve
    made = GuardedOutbound(OutboundRules(**chosen))  # type: ignore[arg-type]  # names and types are the dataclass's
    OPENED.append(made)
    return made


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture(name="receiver", scope="module")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver().start()
    receiver.moods.slow_s = 20.0
    yield receiver
    receiver.stop()


def port_of(receiver: Receiver) -> int:
    return int(receiver.url.rsplit(":", 1)[1])


@pytest.mark.checklist("V13.2.4")
@pytest.mark.parametrize("address", BAD)
def test_it_refuses_every_special_address(address: str) -> None:
    assert address_fault(address) is not None
    way = outbound(lambda _host, _port: [address])
    said = way.fault_of("http://receiver.example/x")  # at save
    assert (said or "").endswith("Name a receiver on the public internet.")
    answer = way.post("http://receiver.example/x", headers={}, body=b"")  # at send
    assert (answer.outcome, answer.status) == (AttemptOutcome.BLOCKED_ADDRESS, None)


@pytest.mark.parametrize("address", GOOD)
def test_it_accepts_the_public_internet(address: str) -> None:
    assert address_fault(address) is None


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    way = outbound(lambda _host, _port: [PUBLIC, "10.0.0.1"])
    assert "10.0.0.1" in (way.fault_of("https://two.example/") or "")
    assert way.post("https://two.example/", headers={}, body=b"").outcome is AttemptOutcome.BLOCKED_ADDRESS


@pytest.mark.parametrize("host", [*NUMBERS, "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", UNSPECIFIED])
def test_numbers_in_disguise_are_refused_at_save_and_at_send(host: str) -> None:
    program = (
        "import sys\n"
        "from console.adapters.outbound_http import GuardedOutbound, OutboundRules\n"
        "way = GuardedOutbound(OutboundRules(ports=frozenset({80, 443}), https_only=False, timeout_s=1.0))\n"
        "url = f'http://{sys.argv[1]}/x'\n"
        "answer = way.post(url, headers={}, body=b'')\n"
        "print(way.fault_of(url) is not None, answer.outcome.value)\n"
    )
    said = subprocess.run([sys.executable, "-c", program, host], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["True", "blocked_address"]


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "javascript:alert(1)",
        "https://", "https:///path", "https://user:pass@example.com", "https://user@example.com",
        "https://example.com:99999", "https://example.com:x", "https://example.com:25", "https://example.com/#part",
        "https://exa mple.com", "https://example.com/\r\nHost: evil", "https://example.com\\@evil.example",
        "https://b\u00fccher.example/", "https://[fe80::1%25lo]/", "https://[not-an-address]/", "http://example.com",
        "https://example.com/" + "a" * 2_048, "https://\x00example.com", "https://example.com/\x7f", "gopher://x:443/",
    ],
)  # fmt: skip
def test_it_refuses_addresses_by_their_spelling(url: str) -> None:
    assert isinstance(split_url(url, ports={443}, https_only=True), str)
    way = outbound(lambda _host, _port: [PUBLIC], ports=frozenset({443}), https_only=True)
    assert way.fault_of(url)
    answer = way.post(url, headers={}, body=b"")
    assert (answer.outcome, answer.status) == (AttemptOutcome.BLOCKED_ADDRESS, None)


def test_it_accepts_an_ordinary_address() -> None:
    way = outbound(lambda _host, _port: [PUBLIC], ports=frozenset({443}), https_only=True)
    assert way.fault_of("https://hooks.example/path?x=1") is None


def test_a_name_that_changes_its_answer_between_check_and_connect_gains_nothing(receiver: Receiver) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"], [PUBLIC]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    way = outbound(rebinding)
    url = f"http://rebind.example:{port_of(receiver)}/rebound"
    assert way.fault_of(url) is None  # the form is saved while the name looks well
    assert way.post(url, headers={}, body=b"").outcome is AttemptOutcome.BLOCKED_ADDRESS
    assert way.fault_of(url) is not None
    assert len(asked) == 3  # once for each check: what was checked is what would have been called
    assert all(line["path"] != "/rebound" for line in receiver.log)


def test_it_connects_to_the_address_it_checked_and_keeps_the_name(receiver: Receiver) -> None:
    way = outbound(lambda _host, _port: ["127.0.0.1"], allowed=LOOPBACK)
    answer = way.post(f"http://pinned.example:{port_of(receiver)}/pinned", headers={"x-a": "1"}, body=b"{}")
    assert (answer.outcome, answer.status) == (AttemptOutcome.SUCCESS, 200)
    line = next(each for each in receiver.log if each["path"] == "/pinned")
    assert line["headers"]["host"] == f"pinned.example:{port_of(receiver)}"
    assert "accept-encoding" not in line["headers"]


def test_it_ignores_proxies_of_the_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    way = outbound(allowed=LOOPBACK)
    assert way.post(f"{receiver.url}/proxied", headers={}, body=b"").outcome is AttemptOutcome.SUCCESS


@pytest.mark.parametrize(
    ("mood", "outcome", "status"),
    [
        ("ok", AttemptOutcome.SUCCESS, 200),
        ("fail", AttemptOutcome.SERVER_ERROR, 500),
        ("busy", AttemptOutcome.SLOW_DOWN, 429),
        ("gone", AttemptOutcome.GONE, 410),
        ("moved", AttemptOutcome.REDIRECT, 302),
        ("huge", AttemptOutcome.TOO_LARGE, 200),
        ("slow", AttemptOutcome.TIMEOUT, None),
        ("drip", AttemptOutcome.TIMEOUT, None),
        ("silent", AttemptOutcome.TIMEOUT, None),
        ("rude", AttemptOutcome.CONNECT, None),
    ],
)
def test_each_kind_of_receiver_has_its_own_outcome(
    receiver: Receiver, mood: str, outcome: AttemptOutcome, status: int | None
) -> None:
    receiver.moods.by_path[f"/{mood}"] = mood
    began = time.monotonic()
    answer = outbound(allowed=LOOPBACK).post(f"{receiver.url}/{mood}", headers={}, body=b"{}")
    assert (answer.outcome, answer.status) == (outcome, status)
    assert time.monotonic() - began < 10  # seconds; one is the limit of an exchange, the slow one takes twenty
    assert len(answer.body or "") <= SHOWN_BODY_BYTES
    assert (answer.error is None) == (status is not None and mood != "huge")
    assert len([line for line in receiver.log if line["path"] == f"/{mood}"]) == 1
    assert all(line["path"] != "/elsewhere" for line in receiver.log)


def test_what_listens_nowhere_has_its_own_outcome() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    answer = outbound(allowed=LOOPBACK).post(f"http://127.0.0.1:{port}/", headers={}, body=b"")
    assert answer.outcome is AttemptOutcome.CONNECT

    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert outbound(unknown).post("http://nowhere.example/", headers={}, body=b"").outcome is AttemptOutcome.DNS
    assert (
        outbound(lambda _h, _p: []).post("http://nowhere.example/", headers={}, body=b"").outcome is AttemptOutcome.DNS
    )
    assert "not known" in (outbound(unknown).fault_of("http://nowhere.example/") or "")


@pytest.fixture(name="asleep")
def _asleep() -> Iterator[threading.Event]:
    """Yield what a resolver waits for that does not answer; it does once the test is over."""
    over = threading.Event()
    yield over
    over.set()


def test_a_resolver_that_never_answers_keeps_nobody_waiting(asleep: threading.Event) -> None:
    def never(_host: str, _port: int) -> Sequence[str]:
        asleep.wait()
        return [PUBLIC]

    url = "https://sleepy.example/"
    way = outbound(never, connect_timeout_s=0.2)
    began = time.monotonic()
    assert "in time" in (way.fault_of(url) or "")  # at save
    answer = way.post(url, headers={}, body=b"")  # at send
    assert (answer.outcome, answer.status) == (AttemptOutcome.DNS, None)
    assert "in time" in (answer.error or "")
    with pytest.raises(CallFailedError, match="in time"):  # and whoever reads answers
        GuardedCalls(OutboundRules(resolve=never, connect_timeout_s=0.2)).call("GET", url, headers={})
    assert time.monotonic() - began < 20  # seconds; three waits of 0.2, and the resolver never answers


def test_a_look_up_is_over_with_its_exchange(asleep: threading.Event) -> None:
    def never(_host: str, _port: int) -> Sequence[str]:
        asleep.wait()
        return [PUBLIC]

    began = time.monotonic()
    answer = outbound(never, connect_timeout_s=30.0, timeout_s=0.2).post(
        "https://sleepy.example/", headers={}, body=b""
    )
    assert answer.outcome is AttemptOutcome.DNS
    assert time.monotonic() - began < 20  # seconds; to connect alone may take thirty


def test_what_a_slow_resolver_says_is_checked_and_pinned_all_the_same(receiver: Receiver) -> None:
    asked: list[str] = []

    def slow(host: str, _port: int) -> Sequence[str]:
        time.sleep(0.05)
        asked.append(host)
        return ["10.0.0.1"] if host.startswith("inside") else ["127.0.0.1"]

    way = outbound(slow, allowed=LOOPBACK)
    port = port_of(receiver)
    assert way.post(f"http://inside.example:{port}/slowly", headers={}, body=b"").outcome is (
        AttemptOutcome.BLOCKED_ADDRESS
    )
    assert way.post(f"http://pinned.example:{port}/slowly", headers={}, body=b"").status == 200
    assert asked == ["inside.example", "pinned.example"]  # once each
    line = next(each for each in receiver.log if each["path"] == "/slowly")
    assert line["headers"]["host"] == f"pinned.example:{port}"


def test_hanging_look_ups_are_no_more_than_the_house_bears(
    asleep: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound_names, "_PLACES", threading.BoundedSemaphore(2))
    asked: list[str] = []

    def never(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        asleep.wait()
        return [PUBLIC]

    for number in range(3):
        with pytest.raises(UnansweredNameError):
            answered_within(never, f"{number}.example", 443, timeout_s=0.05)
    assert asked == ["0.example", "1.example"]  # the third found no place, and no thread was begun
    asleep.set()
    assert answered_within(lambda _host, _port: [PUBLIC], "now.example", 443, timeout_s=5.0) == [PUBLIC]


def spoken(*raw: bytes) -> int:
    """Answer one connection with bytes that are no polite HTTP, and return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            connection, _address = server.accept()
            with connection:
                connection.settimeout(5)
                connection.recv(65_536)
                for part in raw:
                    connection.sendall(part)
                    time.sleep(0.01)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
    ],
)
def test_what_is_not_http_is_an_outcome_and_no_error(raw: bytes) -> None:
    answer = outbound(allowed=LOOPBACK).post(f"http://127.0.0.1:{spoken(raw)}/", headers={}, body=b"{}")
    assert answer.outcome is AttemptOutcome.CONNECT
    assert answer.status is None


def test_answers_are_kept_without_secrets_and_odd_bytes() -> None:
    raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=secret\r\nContent-Length: 4\r\n\r\n\xff\x00ok"
    answer = outbound(allowed=LOOPBACK).post(f"http://127.0.0.1:{spoken(raw)}/", headers={}, body=b"{}")
    assert answer.body == "\ufffd\ufffdok"
    assert ("set-cookie", "[hidden]") in answer.headers


def test_a_certificate_that_nobody_trusts_is_a_tls_outcome(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _each in range(2):
            connection, _address = server.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65_536)
                    secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    url = f"https://127.0.0.1:{server.getsockname()[1]}/"
    answer = outbound(allowed=LOOPBACK).post(url, headers={}, body=b"")
    assert answer.outcome is AttemptOutcome.TLS
    assert "certificate" in (answer.error or "")

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=pem)

    assert outbound(allowed=LOOPBACK, trust=trusting).post(url, headers={}, body=b"").status == 204
    server.close()


def test_the_transport_is_what_this_module_was_written_for(receiver: Receiver) -> None:
    """A new httpcore2 must keep these: they are all that the guard stands on."""
    assert {"ConnectionPool", "NetworkBackend", "NetworkStream", "SyncBackend"} <= set(httpcore2.__all__)
    connected: list[str] = []

    class Watching(httpcore2.SyncBackend):
        def connect_tcp(self, host: str, *rest: object, **named: object) -> httpcore2.NetworkStream:
            connected.append(host)
            return super().connect_tcp("127.0.0.1", *rest, **named)  # type: ignore[arg-type]  # passed on as they came

    receiver.moods.by_path["/moved"] = "moved"
    pool = httpcore2.ConnectionPool(network_backend=Watching())
    for _each in range(2):
        url = f"http://name.example:{port_of(receiver)}/moved"
        assert pool.request("POST", url, content=json.dumps({}).encode()).status == 302  # it follows nothing
    assert connected == ["name.example"]  # the name reaches the backend unresolved, and a connection is kept
    pool.close()
