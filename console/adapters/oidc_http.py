"""Calls to the identity provider: bounded in time and size, no redirects, no proxies from the environment."""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from console.domain.errors import BadValueError, OutsideError

_MOST_BYTES = 1_000_000
_CHUNK = 65_536


def session_with(timeout_s: float, **client: str) -> OAuth2Session:
    """Return an OAuth session that keeps to the rules of this module; `client` goes to Authlib."""
    session = OAuth2Session(default_timeout=timeout_s, **client)
    session.trust_env = False
    session.max_redirects = 0
    return session


def fetched(session: OAuth2Session, url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """Return a JSON object from an address of the provider. Raises: OutsideError."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        with session.request(
            "GET", checked(url), withhold_token=True, headers=headers, stream=True, allow_redirects=False
        ) as answer:
            body = _bounded(answer)
            status = answer.status_code
    except requests.RequestException as broken:
        raise _unreachable(broken) from None
    if status != requests.codes.ok:
        message = f"The identity provider answered {status}."
        raise OutsideError(message, permanent=status < 500, status=status)
    return _object(body)


def exchanged(session: OAuth2Session, url: str, *, code: str, verifier: str) -> Mapping[str, Any]:
    """Return the token answer for a code. Raises: BadValueError when the code is refused, else OutsideError."""
    try:
        answer: Mapping[str, Any] = session.fetch_token(
            checked(url), grant_type="authorization_code", code=code, code_verifier=verifier, allow_redirects=False
        )
    except OAuthError as refused:
        if refused.error in {"invalid_client", "unauthorized_client"}:
            message = "The identity provider refuses this installation; check oidc.client_id and oidc.client_secret."
            raise OutsideError(message, permanent=True) from None
        message = "The identity provider does not accept this sign-in any more; begin again."
        raise BadValueError(message, field="code", remedy="Begin the sign-in again.") from None
    except requests.RequestException as broken:
        raise _unreachable(broken) from None
    except (ValueError, TypeError, KeyError):
        message = "The identity provider's token answer cannot be read."
        raise OutsideError(message, permanent=False) from None
    return answer


def checked(url: object) -> str:
    """Return an address that may be called: https, or http to this machine. Raises: OutsideError."""
    address = urlsplit(url) if isinstance(url, str) else None
    host = (address.hostname if address else None) or ""
    if address and host and (address.scheme == "https" or (address.scheme == "http" and _is_this_machine(host))):
        return address.geturl()
    message = "The identity provider names an address that is not https."
    raise OutsideError(message, permanent=True)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(answer: requests.Response) -> bytes:
    """Return the body; an answer without end is cut off."""
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MOST_BYTES:
            message = "The identity provider's answer is too long."
            raise OutsideError(message, permanent=True)
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        message = "The identity provider's answer is not a JSON object."
        raise OutsideError(message, permanent=False)
    return value


def _unreachable(broken: requests.RequestException) -> OutsideError:
    message = f"The identity provider cannot be reached ({type(broken).__name__})."
    return OutsideError(message, permanent=False)
