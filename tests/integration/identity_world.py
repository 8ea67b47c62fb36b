"""What the tests of sign-in elsewhere share: the client's names, a clock that can be set ahead, and a real provider."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests

from console.adapters.oidc import OidcClient, OidcProvider

CALLBACK = "http://127.0.0.1:8000/sign-in/callback"


CLIENT = "sallyport"


SECRET = "a-client-secret"


STRONG = frozenset({"mfa"})


class Wall:
    """A clock that can be set ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": ""}
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address)
            yield address
        finally:
            process.kill()


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"{address}/.well-known/openid-configuration", timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the identity provider did not start")


@dataclass
class Browser:
    """A person at the provider: signs in and comes back with the callback address."""

    issuer: str
    subject: str = "ada"
    claims: dict[str, object] = field(
        default_factory=lambda: {
            "name": "Ada Lovelace",
            "email": "ada@corp.example",
            "groups": ["support", "finance"],
            "acr": "mfa",
        }
    )

    def comes_back_from(self, url: str) -> str:
        requests.put(f"{self.issuer}/users/{self.subject}", json=self.claims, timeout=5).raise_for_status()
        answer = requests.post(url, data={"sub": self.subject}, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@pytest.fixture
def provider(issuer: str) -> OidcProvider:
    return OidcProvider(OidcClient(issuer=issuer, client_id=CLIENT, client_secret=SECRET), clock=Wall())
