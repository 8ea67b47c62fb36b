"""Requests to the invented provider, taken apart, and refusals in Stripe's shape."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

_LONGEST_BODY = 1_048_576


class RefusedError(Exception):
    """The provider refuses; `kind` and `code` are Stripe's words."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.code = status, kind, code

    def document(self) -> dict[str, Any]:
        """Return the refusal as Stripe writes it."""
        return {"error": {"type": self.kind, "code": self.code, "message": str(self)}}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Shape: `params` are nested as the brackets of their names say; `path` has no `/v1`."""

    method: str
    path: tuple[str, ...]
    params: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """Return the idempotency key."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None

    @property
    def version(self) -> str | None:
        """Return the API version that is asked for."""
        return self.headers.get("stripe-version")

    def fingerprint(self) -> str:
        """Return what must be the same when an idempotency key comes again."""
        told = json.dumps([self.method, self.path, self.params], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def ask_of(environ: Mapping[str, Any]) -> Ask:
    """Return the request of a WSGI environment. Raises: RefusedError."""
    method = str(environ["REQUEST_METHOD"])
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > _LONGEST_BODY:
        raise RefusedError("The body is too long.", status=413)
    body = environ["wsgi.input"].read(length).decode() if length else ""
    named = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    parts = tuple(part for part in str(environ.get("PATH_INFO", "")).split("/") if part)
    return Ask(
        method=method,
        path=parts[1:] if parts[:1] == ("v1",) else parts,
        params=nested(parse_qsl(f"{environ.get('QUERY_STRING', '')}&{body}", keep_blank_values=True)),
        headers=named,
    )


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return parameters like `created[gte]` and `expand[0]` as dictionaries and arrays."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = name.replace("]", "").split("[")
        place: dict[str, Any] = found
        for inner, following in zip([first, *rest], [*rest, None], strict=False):
            if following is None:
                place[inner or str(len(place))] = value
            else:
                kept = place.setdefault(inner, {})
                if not isinstance(kept, dict):
                    raise RefusedError(f"Invalid parameter: {name}")
                place = kept
    return {name: _arrays(value) for name, value in found.items()}


def whole_of(params: Mapping[str, Any], name: str, otherwise: int | None = None) -> int:
    """Return a whole number among parameters. Raises: RefusedError."""
    value = params.get(name)
    if value is None and otherwise is not None:
        return otherwise
    try:
        return int(str(value))
    except ValueError:
        code = "parameter_missing" if value is None else "parameter_invalid_integer"
        raise RefusedError(f"Invalid integer: {name}", code=code) from None


def text_of(params: Mapping[str, Any], name: str) -> str:
    """Return a text that must be among parameters. Raises: RefusedError."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"Missing required param: {name}.", code="parameter_missing")
    return value


def _arrays(value: Any) -> Any:  # noqa: ANN401  whatever was sent
    if not isinstance(value, dict):
        return value
    inner = {name: _arrays(each) for name, each in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner
