"""Who acts for whom in the request that is being answered, for the product, its logs and its telemetry."""

from contextvars import ContextVar
from dataclasses import dataclass

ENVIRON_KEY = "sallyport.acting"
"""The key in a WSGI environ or an ASGI scope; absent when a member acts for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """A staff member who acts for a member of a tenant, as the console confirmed it within the last second.

    Units: `not_after` and `idle_until` are Unix seconds; `mode` is read or write.
    """

    sid: str
    staff: str
    staff_name: str
    tenant: str
    subject: str
    mode: str
    not_after: int
    idle_until: int
    reason_code: str
    reference: str
    leave: str

    @property
    def may_write(self) -> bool:
        """Return whether endpoints that declare a write may run."""
        return self.mode == "write"


_current: ContextVar[Acting | None] = ContextVar("sallyport_acting", default=None)


def acting() -> Acting | None:
    """Return who acts for the member in this request; None when the member does so themselves."""
    return _current.get()


def enter(who: Acting | None) -> None:
    """Say who acts from here on; for the middleware."""
    _current.set(who)


def counts_as_usage() -> bool:
    """Return whether what happens now is the member's own doing: staff work is never usage, billed or measured."""
    return _current.get() is None


def telemetry_tags() -> dict[str, str]:
    """Return what to put on every event, span and log line of this request; empty for members themselves."""
    who = _current.get()
    return {} if who is None else {"acting_staff": who.staff, "impersonation": who.sid, "is_staff_work": "true"}
