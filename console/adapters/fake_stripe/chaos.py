"""What can go wrong at the invented provider, each so many times: armed by tests, by hand, and kept in its book."""

import json

from console.adapters.fake_stripe.asking import RefusedError
from console.adapters.fake_stripe.book import Book

# Of answers: `busy` is 429 with Retry-After, `broken` 500 before anything happened, `broken_after` 500 after it did,
# `garbled` an answer that ends in the middle, `growing` a list that gets a new first object after a page was sent.
ANSWERS = ("busy", "broken", "broken_after", "garbled", "growing")
# Of webhooks: sent twice, after later ones, an hour late, never, cut in the middle, wrongly signed, with a clock off.
WEBHOOKS = ("duplicate", "reorder", "delay", "drop", "truncated", "bad_signature", "skew")
RETRY_AFTER_S = 1
_SETTING = "chaos"


class Chaos:
    """Moods that are used up one by one."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def arm(self, mood: str, times: int = 1) -> None:
        """Let something go wrong so many times. Raises: RefusedError for a mood that there is not."""
        if mood not in (*ANSWERS, *WEBHOOKS):
            raise RefusedError(f"There is no mood {mood}.", code="parameter_unknown")
        armed = self._armed()
        armed[mood] = times
        self._book.set(_SETTING, json.dumps(armed))

    def take(self, *moods: str) -> str | None:
        """Return the first of these that is armed, and use it up once."""
        armed = self._armed()
        for mood in moods:
            if armed.get(mood, 0) > 0:
                armed[mood] -= 1
                self._book.set(_SETTING, json.dumps(armed))
                return mood
        return None

    def _armed(self) -> dict[str, int]:
        armed: dict[str, int] = json.loads(self._book.setting(_SETTING, "{}"))
        return armed
