"""Posts webhooks to receivers, whatever they answer with: nothing is followed or unpacked, and nothing is raised."""

import ssl
import time
from collections.abc import Mapping
from functools import lru_cache

import httpcore2

from console.adapters.outbound_addresses import port_of, split_url
from console.adapters.outbound_names import UnansweredNameError
from console.adapters.outbound_pinning import (
    BlockedError,
    OutboundRules,
    TooLargeError,
    UnknownNameError,
    checked,
    limits_of,
    pool_of,
    whole_body,
    within,
)
from console.domain.header_redaction import redacted_headers
from console.domain.retries import outcome_of_status
from console.domain.webhooks import SHOWN_BODY_BYTES, AttemptOutcome
from console.ports.sending import Answer

__all__ = ["GuardedOutbound", "OutboundRules"]

_CLOSED = "The receiver closed the connection, or answered with something that is not HTTP."


class GuardedOutbound:
    """Posts to receivers; addresses are checked when a connection is made, which is also the moment they are pinned."""

    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules
        self._limits = limits_of(rules)
        self._pool = pool_of(rules)

    def fault_of(self, url: str) -> str | None:
        """Return why an address may not be called, with the remedy, or None; resolves names."""
        parts = split_url(url, ports=self._rules.ports, https_only=self._rules.https_only)
        if isinstance(parts, str):
            return parts
        try:
            checked(self._rules, parts.hostname or "", port_of(parts))
        except UnknownNameError:
            return "Its name is not known; look for a typing mistake."
        except UnansweredNameError:
            return "Nobody said in time where its name leads; try again, and tell whoever looks after the name."
        except BlockedError as blocked:
            return f"{blocked} Name a receiver on the public internet."
        return None

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send and return how it ended; never raises for what a receiver does."""
        parts = split_url(url, ports=self._rules.ports, https_only=self._rules.https_only)
        if isinstance(parts, str):
            return Answer(outcome=AttemptOutcome.BLOCKED_ADDRESS, status=None, took_ms=0, error=parts)
        begun = time.monotonic()
        with within(self._rules.timeout_s):
            answer = self._exchanged(url, headers, body)
        return _timed(answer, begun)

    def close(self) -> None:
        """Close the connections that are kept for the next message."""
        self._pool.close()

    def _exchanged(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            with self._pool.stream(
                "POST", _parsed(url), headers=given, content=body, extensions={"timeout": self._limits}
            ) as response:
                return self._read(response)
        except BlockedError as blocked:
            return _failed(AttemptOutcome.BLOCKED_ADDRESS, str(blocked))
        except UnknownNameError:
            return _failed(AttemptOutcome.DNS, "The receiver's name is not known.")
        except UnansweredNameError:
            return _failed(AttemptOutcome.DNS, "Nobody said in time where the receiver's name leads.")
        except httpcore2.TimeoutException:
            return _failed(AttemptOutcome.TIMEOUT, f"No whole answer within {self._rules.timeout_s:g} s.")
        except httpcore2.ConnectError as away:
            return _unconnected(away)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError, ValueError):
            return _failed(AttemptOutcome.CONNECT, _CLOSED)

    def _read(self, response: httpcore2.Response) -> Answer:
        headers = redacted_headers(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers
        )
        outcome, error = outcome_of_status(response.status), None
        try:
            body = whole_body(response, most=self._rules.body_bytes, shown=SHOWN_BODY_BYTES)
        except TooLargeError as large:
            outcome, body = AttemptOutcome.TOO_LARGE, large.start
            error = f"The answer is longer than {self._rules.body_bytes:,} bytes."
        text = body[:SHOWN_BODY_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")
        return Answer(
            outcome=outcome, status=response.status, took_ms=0, headers=headers, body=text or None, error=error
        )


@lru_cache(maxsize=1_024)  # what the library does for each message otherwise
def _parsed(url: str) -> httpcore2.URL:
    return httpcore2.URL(url)


def _unconnected(away: httpcore2.ConnectError) -> Answer:
    cause = away.args[0] if away.args else None  # the library cuts the chain of exceptions, not its argument
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or "no reason given"
        return _failed(AttemptOutcome.TLS, f"No secure connection: {reason}.")
    return _failed(AttemptOutcome.CONNECT, "The receiver takes no connection.")


def _failed(outcome: AttemptOutcome, error: str) -> Answer:
    return Answer(outcome=outcome, status=None, took_ms=0, error=error)


def _timed(answer: Answer, begun: float) -> Answer:
    took_ms = round((time.monotonic() - begun) * 1_000)
    return Answer(
        outcome=answer.outcome,
        status=answer.status,
        took_ms=took_ms,
        headers=answer.headers,
        body=answer.body,
        error=answer.error,
    )
