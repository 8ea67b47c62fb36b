"""Calls to a service whose answers are read: the same guarded way out, and an answer up to a longest length."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore2

from console.adapters.outbound_addresses import split_url
from console.adapters.outbound_names import UnansweredNameError
from console.adapters.outbound_pinning import (
    BlockedError,
    OutboundRules,
    TooLargeError,
    UnknownNameError,
    limits_of,
    pool_of,
    whole_body,
    within,
)


class CallFailedError(Exception):
    """There is no whole answer; the sentence says why, and nothing of what was sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Shape: names of headers are lower case; a redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GuardedCalls:
    """Asks services by GET, POST and DELETE."""

    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules
        self._pool = pool_of(rules)

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Return the whole answer. Raises: CallFailedError."""
        parts = split_url(url, ports=self._rules.ports, https_only=self._rules.https_only)
        if isinstance(parts, str):
            raise CallFailedError(parts)
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        limits = {"timeout": limits_of(self._rules)}
        try:
            with (
                within(self._rules.timeout_s),
                self._pool.stream(method, url, headers=given, content=body or None, extensions=limits) as answer,
            ):
                told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                return Reply(answer.status, told, whole_body(answer, most=self._rules.body_bytes))
        except BlockedError as blocked:
            raise CallFailedError(str(blocked)) from None
        except UnknownNameError:
            raise CallFailedError("The service's name is not known.") from None
        except UnansweredNameError:
            raise CallFailedError("Nobody said in time where the service's name leads.") from None
        except TooLargeError:
            raise CallFailedError(f"The answer is longer than {self._rules.body_bytes:,} bytes.") from None
        except httpcore2.TimeoutException:
            raise CallFailedError(f"No whole answer within {self._rules.timeout_s:g} s.") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError, ValueError) as broken:
            raise CallFailedError(f"No connection, or one that broke ({type(broken).__name__}).") from None

    def close(self) -> None:
        """Close the connections that are kept for the next question."""
        self._pool.close()
