"""One attempt at the identity provider: kept in this browser's session, taken out before it is used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from flask import url_for

from console.domain.errors import NotFoundError
from console.web import asking, sessions
from console.web.paths import safe_next

Purpose = Literal["sign_in", "step_up"]
_NAME = "identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What must come back to this browser. Units: seconds; `asked_at` is when the browser was sent away."""

    purpose: Purpose
    wanted: str
    asked_at: datetime
    max_age_s: int
    kept: Mapping[str, str]


def begin_attempt(*, purpose: Purpose, wanted: str | None, max_age_s: int | None) -> str:
    """Return the provider's address to send the browser to. Raises: NotFoundError, OutsideError."""
    provider = asking.house().identity
    if provider is None:
        raise NotFoundError("Signing in with a company account is not set up here.")
    address, kept = provider.begin(redirect_uri=url_for("door.callback", _external=True), max_age_s=max_age_s)
    sessions.current()[_NAME] = {
        "purpose": purpose,
        "wanted": safe_next(wanted),
        "asked_at": int(asking.house().clock.now().timestamp()),
        "max_age_s": max_age_s or 0,
        "kept": dict(kept),
    }
    return address


def take_attempt() -> Attempt | None:
    """Return the attempt that is under way and forget it; whatever comes of it, it is not good twice."""
    held = sessions.current().pop(_NAME, None)
    if not isinstance(held, dict):
        return None
    purpose: Purpose = "step_up" if held["purpose"] == "step_up" else "sign_in"
    return Attempt(
        purpose=purpose,
        wanted=safe_next(held["wanted"]),
        asked_at=datetime.fromtimestamp(held["asked_at"], UTC),
        max_age_s=held["max_age_s"],
        kept=held["kept"],
    )
