"""The official library, asked through a transport of ours; its errors become ours. Loaded at the first question."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import stripe

from console.adapters.stripe.calls import Params
from console.adapters.stripe.reading import Document
from console.domain.errors import OutsideError

_MOST_TRIES = 4
_LONGEST_WAIT_S = 20.0  # for one question, all its waits together; a job tries again later
_USUAL_WAIT_S = 1.0
_LONGEST_SENTENCE = 300
_PASSING = frozenset({408, 409, 425, 429})

stripe.enable_telemetry = False


class StripeCalls:
    """Asks Stripe; waits where it says how long, within bounds."""

    def __init__(
        self,
        transport: Any,  # noqa: ANN401  an HTTPClient of the library, which is loaded late
        *,
        api_key: str,
        address: str,
        version: str,
        account: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.version = version
        self._sleep = sleep
        self._client = stripe.StripeClient(
            api_key,
            http_client=transport,
            stripe_version=version,
            stripe_account=account,
            base_addresses={"api": address},
            max_network_retries=0,
        )

    def found(self, path: str, params: Params | None = None) -> Document | None:
        """Return what stands at an address, or None where nothing does. Raises: OutsideError."""
        try:
            return self._patiently("get", path, params or {}, {})
        except stripe.InvalidRequestError as refused:
            if refused.http_status == 404:
                return None
            raise outside_error(refused) from refused

    def post(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for a change. Raises: OutsideError."""
        return self._changed("post", path, params, key=key)

    def delete(self, path: str, params: Params, *, key: str) -> Document:
        """Ask for an end. Raises: OutsideError."""
        return self._changed("delete", path, params, key=key)

    def _changed(self, method: str, path: str, params: Params, *, key: str) -> Document:
        try:
            return self._patiently(method, path, params, {"idempotency_key": key})
        except stripe.InvalidRequestError as refused:
            raise outside_error(refused) from refused

    def _patiently(self, method: str, path: str, params: Params, options: Mapping[str, str]) -> Document:
        """Ask, and ask again after a wait while Stripe is busy; every other refusal of a parameter is passed on."""
        waited = 0.0
        for _ in range(_MOST_TRIES):
            try:
                answer: Document = self._client.raw_request(method, path, **params, **options).data
            except stripe.RateLimitError as busy:
                wait_s = _wait_s(busy.headers or {})
                waited += wait_s
                if waited > _LONGEST_WAIT_S:
                    raise outside_error(busy) from busy
                self._sleep(wait_s)
            except stripe.InvalidRequestError:
                raise
            except stripe.StripeError as failed:
                raise outside_error(failed) from failed
            else:
                return answer
        raise OutsideError("Stripe asks us to slow down.", permanent=False, status=429)


def outside_error(failed: Any) -> OutsideError:  # noqa: ANN401  an error of the library
    """Return an error of the library as ours: permanent where Stripe refused, and nothing happened."""
    status = failed.http_status
    is_garbled = isinstance(failed, stripe.APIError) and not isinstance(failed, stripe.InvalidRequestError)
    is_passing = status is None or is_garbled or status >= 500 or status in _PASSING
    sentence = str(failed.user_message or "no reason given")[:_LONGEST_SENTENCE]
    facts = {"status": status or 0, "refusal": failed.code or type(failed).__name__}
    verb = "failed" if is_passing else "refused"
    return OutsideError(f"Stripe {verb}: {sentence}", permanent=not is_passing, **facts)


def _wait_s(headers: Mapping[str, str]) -> float:
    said = headers.get("retry-after", "")
    return float(said) if said.isdigit() else _USUAL_WAIT_S
