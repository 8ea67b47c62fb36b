"""The way in and out: `/sallyport/enter`, the callback with its one-use code, `/sallyport/leave`, two small files."""

import hmac
import logging
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from urllib.parse import urlencode

from sallyport_kit import banner
from sallyport_kit.console import Console
from sallyport_kit.errors import ConsoleRefusedError, ConsoleSilentError, KitError, TokenRefusedError
from sallyport_kit.pages import QUIET, Refusal, page, refused
from sallyport_kit.settings import KitSettings
from sallyport_kit.standings import Standings
from sallyport_kit.tokens import LONGEST_LIFE_S, Claims, TokenReader
from sallyport_kit.web import Answer, Asked, Cookies

ENTER = "/sallyport/enter"
_ENTRY_S = 120
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE = re.compile(r"[\x21-\x7e]{1,512}")
_LOG = logging.getLogger(__name__)

Now = Callable[[Asked], Claims | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Answers the kit's own addresses; everything else is the product's."""

    settings: KitSettings
    console: Console
    reader: TokenReader
    standings: Standings
    present: Now

    def answer(self, asked: Asked, *, root: str = "") -> Answer | None:
        """Return the answer to one of the kit's own addresses; None for all others."""
        found = self._ways().get(asked.path)
        if found is None:
            return None
        method, handle = found
        if asked.method not in {method, "HEAD"} or (asked.method == "HEAD" and method != "GET"):
            if asked.path == banner.LEAVE and asked.method == "GET":
                return self._asked_to_leave(root)
            return Answer(status=405, headers=(("Allow", method), *QUIET))
        return handle(asked, root)

    def is_own(self, path: str) -> bool:
        """Return whether an address is the kit's."""
        return path in self._ways()

    def _ways(self) -> dict[str, tuple[str, Callable[[Asked, str], Answer]]]:
        return {
            ENTER: ("GET", self._enter),
            self.settings.callback: ("GET", self._callback),
            banner.LEAVE: ("POST", self._leave),
            banner.ACTIVE: ("POST", self._active),
            banner.STYLE: ("GET", lambda _asked, _root: _file("text/css", banner.CSS)),
            banner.SCRIPT: ("GET", lambda _asked, _root: _file("text/javascript", banner.JS)),
        }

    def _enter(self, asked: Asked, root: str) -> Answer:
        sid = asked.parameter("sid")
        if not _SID.fullmatch(sid):
            return refused(asked, Refusal(code="entry_refused", console=self.settings.console), root=root)
        present = self.present(asked)
        if present is not None:
            if present.sid == sid:
                return self._to(root + self.settings.landing)
            return refused(asked, Refusal(code="already_acting", console=self.settings.console), root=root)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asking = {"client_id": self.settings.client_id, "state": state, "code_challenge": challenge}
        address = f"{self.settings.console}/impersonations/{sid}/hand-off?{urlencode(asking)}"
        cookies = Cookies.of(self.settings)
        return self._to(address, cookies.written(cookies.entry, f"{state}.{verifier}.{sid}", seconds=_ENTRY_S))

    def _callback(self, asked: Asked, root: str) -> Answer:
        """Exchange the code: 1 the answer is of this browser's entry; 2 the token is ours; 3 it is of that entry."""
        cookies = Cookies.of(self.settings)
        spent = cookies.written(cookies.entry, "", seconds=0)
        state, _, rest = asked.cookie(cookies.entry).partition(".")
        verifier, _, sid = rest.partition(".")
        code = asked.parameter("code")
        # 1
        if not sid or not hmac.compare_digest(state.encode(), asked.parameter("state").encode()):
            return self._not_in(asked, root, "This entry does not belong to this browser, or it took too long.", spent)
        if not _CODE.fullmatch(code):
            return self._not_in(asked, root, "The console handed over no code.", spent)
        try:
            token = self.console.exchange(code, verifier)
            # 2
            claims = self.reader.read(token)
        except ConsoleRefusedError as no:
            return self._not_in(asked, root, no.sentence, spent)
        except (ConsoleSilentError, TokenRefusedError) as broken:
            _LOG.warning("Nobody was let in: %s", broken)
            return self._not_in(asked, root, "The console's answer did not come, or cannot be believed.", spent)
        # 3
        if claims.sid != sid:
            return self._not_in(asked, root, "The console handed over another impersonation.", spent)
        kept = cookies.written(cookies.acting, token, seconds=2 * LONGEST_LIFE_S)
        return self._to(root + self.settings.landing, spent, kept)

    def _leave(self, asked: Asked, root: str) -> Answer:
        """End by hand, at the console first; the browser forgets the token whatever the console says.

        Shape: a form of another site comes without the cookie and would still wipe it, and with it the banner.
        """
        if not asked.is_of(self.settings.product):
            return Answer(status=403, headers=QUIET)
        cookies = Cookies.of(self.settings)
        token = asked.cookie(cookies.acting)
        back, told = f"{self.settings.console}/", True
        if token:
            try:
                claims = self.reader.read(token, late_s=LONGEST_LIFE_S)
                back = self._way_back(token, claims) or back
                self.console.revoke(token)
                self.standings.forget(token)
            except TokenRefusedError:
                pass
            except KitError as silent:
                told = False
                _LOG.warning("The console was not told that somebody left: %s", silent)
        sentence = (
            "" if told else "<p>The console did not hear of it; there it ends by itself when its time is over.</p>"
        )
        content = f'{sentence}<p><a href="{escape(back)}">Back to the console</a></p>'
        gone = (cookies.written(cookies.acting, "", seconds=0), ("Clear-Site-Data", '"cache"'))
        return page(200, "You are yourself again", content, root=root, headers=(*QUIET, *gone))

    def _way_back(self, token: str, claims: Claims) -> str:
        try:
            return self.standings.of(token, claims, is_activity=False).leave
        except ConsoleSilentError:
            return ""

    def _asked_to_leave(self, root: str) -> Answer:
        """Offer the button: a link or a prefetch ends nothing."""
        button = f'<form method="post" action="{escape(root)}{banner.LEAVE}"><button>Leave</button></form>'
        return page(200, "Leave this impersonation?", button, root=root)

    def _active(self, asked: Asked, root: str) -> Answer:
        """Note that somebody pressed a key: our own script only, of our own pages."""
        site = asked.headers.get("sec-fetch-site", "same-origin")
        token = asked.cookie(Cookies.of(self.settings).acting)
        if site != "same-origin" or "x-sallyport-press" not in asked.headers or not token:
            return Answer(status=403, headers=QUIET)
        try:
            claims = self.reader.read(token)
            standing = self.standings.of(token, claims, is_activity=True)
        except (TokenRefusedError, ConsoleSilentError):
            return Answer(status=503, headers=QUIET)
        if not standing.is_active:
            return Answer(status=401, headers=QUIET)
        now = self.reader.clock()
        left = {"Left": standing.not_after - now, "Idle": standing.idle_until - now}
        told = tuple((f"X-Impersonation-{name}-Seconds", str(max(0, int(value)))) for name, value in left.items())
        return Answer(status=204, headers=(*QUIET, *told))

    def _not_in(self, asked: Asked, root: str, sentence: str, spent: tuple[str, str]) -> Answer:
        refusal = Refusal(code="entry_refused", sentence=sentence, console=self.settings.console)
        answer = refused(asked, refusal, root=root)
        return Answer(status=answer.status, body=answer.body, headers=(*answer.headers, spent))

    def _to(self, address: str, *cookies: tuple[str, str]) -> Answer:
        return Answer(status=303, headers=(("Location", address), *QUIET, *cookies))


def _file(kind: str, content: bytes) -> Answer:
    headers = (("Content-Type", f"{kind}; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
    return Answer(status=200, body=content, headers=(*headers, ("Cache-Control", "no-cache")))
