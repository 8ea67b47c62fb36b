"""Puts the banner into HTML while it passes, without waiting for its end and without being fooled by scripts."""

import re
from collections.abc import Callable

_MOST_HELD = 65_536
_OPENING = re.compile(rb"<!--|<(script|style|title|textarea|template|noscript)\b|<body\b", re.IGNORECASE)
_TAG_END = re.compile(rb"""(?:[^>"']|"[^"]*"|'[^']*')*>""")


def after_body(html: bytes) -> int | None:
    """Return the place right after the opening body tag; None when it is not there, or not yet whole.

    What stands in comments, scripts, styles, titles and templates is no tag.
    """
    at = 0
    while (found := _OPENING.search(html, at)) is not None:
        if found[0] == b"<!--":
            end = html.find(b"-->", found.end())
            if end < 0:
                return None
            at = end + 3
        elif found[1] is not None:
            closing = re.compile(rb"</" + found[1] + rb"\s*>", re.IGNORECASE).search(html, found.end())
            if closing is None:
                return None
            at = closing.end()
        else:
            tag = _TAG_END.match(html, found.end())
            return None if tag is None else tag.end()
    return None


class Injector:
    """Takes the pieces of one answer and returns them with the banner, exactly once.

    Shape: after the body tag where there is one; else at the end, where a browser takes it into the body of a page,
    and htmx takes it as an out-of-band piece of a fragment.
    """

    def __init__(self, *, banner: Callable[[], bytes], at_end: Callable[[], bytes]) -> None:
        """Hold back what came until the body tag is found."""
        self._banner = banner
        self._at_end = at_end
        self._held: bytearray | None = bytearray()
        self._is_done = False

    def feed(self, piece: bytes) -> bytes:
        """Return what may go on now."""
        if self._held is None:
            return piece
        self._held += piece
        place = after_body(bytes(self._held))
        if place is None:
            return self._release() if len(self._held) > _MOST_HELD else b""
        whole = self._release()
        self._is_done = True
        return whole[:place] + self._banner() + whole[place:]

    def finish(self) -> bytes:
        """Return what is left."""
        rest = b"" if self._held is None else self._release()
        return rest if self._is_done else rest + self._at_end()

    def _release(self) -> bytes:
        whole, self._held = bytes(self._held or b""), None
        return whole
