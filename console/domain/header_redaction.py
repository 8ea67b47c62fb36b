"""Headers as they may be kept: names stay, secrets go, and none is long."""

from collections.abc import Iterable
from functools import lru_cache

from console.domain.redaction import redacted_text

HIDDEN = "[hidden]"
_LONGEST_VALUE = 300
_MOST = 60
_SECRET_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "webhook-signature"})
_SECRET_PARTS = ("secret", "token", "password", "signature", "api-key", "apikey", "session", "csrf")


def redacted_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return headers with lower-case names, secrets hidden and long values cut, no more than 60 of them."""
    kept = []
    for name, value in headers:
        low, is_secret = _shown_name(name)
        kept.append((low, HIDDEN if is_secret else redacted_text(value)[:_LONGEST_VALUE]))
        if len(kept) == _MOST:
            break
    return tuple(kept)


@lru_cache(maxsize=512)
def _shown_name(name: str) -> tuple[str, bool]:
    """Return a name as it is kept, and whether its value is a secret."""
    low = name.lower()
    is_secret = low in _SECRET_NAMES or any(part in low for part in _SECRET_PARTS)
    return low[:_LONGEST_VALUE], is_secret
