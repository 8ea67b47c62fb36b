"""The kit put together: who comes in, what they may do here, and what becomes of the answer."""

import logging
import time
from collections.abc import Callable

from sallyport_kit.acting import Acting
from sallyport_kit.calls import Call, call_http
from sallyport_kit.console import Console
from sallyport_kit.entry import Entry
from sallyport_kit.errors import ConsoleRefusedError, ConsoleSilentError, TokenRefusedError
from sallyport_kit.keys import KeyBook
from sallyport_kit.member_news import MemberNews
from sallyport_kit.pages import Refusal, refused
from sallyport_kit.renewals import Renewals
from sallyport_kit.reports import Reporter
from sallyport_kit.settings import KitSettings
from sallyport_kit.standings import Standing, Standings
from sallyport_kit.tokens import Claims, TokenReader
from sallyport_kit.visits import Visit
from sallyport_kit.web import Answer, Asked, Cookies

_LOG = logging.getLogger(__name__)
_IS_NEW = "The member has a new password or is gone."


def member_of_tenant(who: Acting) -> str:
    """Return whom a staff member acts as, where the product has no better words: the two ids."""
    return f"{who.subject} of {who.tenant}"


class Kit:
    """Everything that a middleware needs; one for a whole process, safe among threads.

    Shape: `label` says in the product's own words whom a staff member acts as, for the banner.
    """

    def __init__(
        self,
        settings: KitSettings,
        *,
        call: Call = call_http,
        label: Callable[[Acting], str] = member_of_tenant,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask the console nothing yet."""
        self.settings = settings
        self.console = Console(settings, call)
        self.label = label
        self.clock = clock
        self.monotonic = monotonic
        self.cookies = Cookies.of(settings)
        self.keys = KeyBook(self.console.keys, keep_s=settings.keys_s, monotonic=monotonic)
        self.reader = TokenReader(settings=settings, keys=self.keys, clock=clock)
        self.standings = Standings(settings, self.console, clock=clock, monotonic=monotonic)
        self.renewals = Renewals(
            self.console, self.reader, most=settings.most_sessions, clock=clock, monotonic=monotonic
        )
        self.reporter = Reporter(settings, self.console, clock=clock)
        self.news = MemberNews(settings, self.console, on_told=self.standings.forget_all, clock=clock)
        self.entry = Entry(
            settings=settings,
            console=self.console,
            reader=self.reader,
            standings=self.standings,
            present=self._present,
        )

    def concerns(self, path: str, cookies: str) -> bool:
        """Return whether a request is any business of the kit: quick, and false for every member."""
        return self.cookies.acting in cookies or self.entry.is_own(path)

    def admit(self, asked: Asked, *, root: str = "") -> Visit | Answer | None:
        """Return the visit of a staff member, the answer that ends the request, or None when a member comes.

        Shape: a token that does not hold is refused and never taken for nobody's: what follows must not run as
        whoever else this browser is signed in as.
        """
        own = self.entry.answer(asked, root=root)
        if own is not None:
            return own
        token = asked.cookie(self.cookies.acting)
        if not token:
            return None
        try:
            held, claims = self.renewals.current(token)
            if self.news.is_waiting(claims.tenant, claims.subject):
                return self._no(asked, "impersonation_ended", _IS_NEW, root=root)
            standing = self.standings.of(held, claims, is_activity=asked.is_by_person)
            if standing.is_wider:
                held, claims = self.renewals.widened(held, claims)
                standing = self.standings.of(held, claims, is_activity=asked.is_by_person)
        except TokenRefusedError as wrong:
            _LOG.warning("A token of an impersonation is refused: %s", wrong.why)
            return self._no(asked, "token_refused", root=root)
        except ConsoleRefusedError as ended:
            return self._no(asked, "impersonation_ended", ended.sentence, root=root)
        except ConsoleSilentError:
            return self._no(asked, "console_silent", root=root)
        if not standing.is_active:
            return self._no(asked, "impersonation_ended", standing.sentence, root=root)
        if not self.reporter.take_place():
            return self._no(asked, "reports_full", root=root)
        who = _acting(claims, standing, console=self.settings.console)
        return Visit(kit=self, asked=asked, who=who, root=root, token=held, claims=claims, is_renewed=held != token)

    def is_quick(self, asked: Asked) -> bool:
        """Return whether `admit` has all it needs at hand, so that an event loop may call it without a thread."""
        token = asked.cookie(self.cookies.acting)
        if self.entry.is_own(asked.path) or not token:
            return False
        return not self.renewals.needs_console(token) and self.standings.is_known(token, is_activity=asked.is_by_person)

    def tell_password_reset(self, *, event: str, tenant: str, member: str) -> bool:
        """Tell the console that a member has a new password, which ends who acts for them.

        Shape: `event` is an id of your own for it; the same one may be told again. False while the console is silent:
        it is told until it has heard, and until then nobody acts for that member in this process.
        Raises: ConsoleSilentError when as many such events wait already as there may be reports.
        """
        return self.news.tell(event, "member.password_reset", tenant=tenant, member=member)

    def tell_member_deleted(self, *, event: str, tenant: str, member: str) -> bool:
        """Tell the console that a member is gone, as `tell_password_reset` does. Raises: ConsoleSilentError."""
        return self.news.tell(event, "member.deleted", tenant=tenant, member=member)

    def close(self) -> None:
        """Send the last reports and news; happens by itself at the end of the process."""
        self.news.close()
        self.reporter.close()

    def _present(self, asked: Asked) -> Claims | None:
        """Return the claims of an impersonation that is alive in this browser."""
        token = asked.cookie(self.cookies.acting)
        try:
            held, claims = self.renewals.current(token) if token else ("", None)
            if claims is None or self.news.is_waiting(claims.tenant, claims.subject):
                return None
            if not self.standings.of(held, claims, is_activity=False).is_active:
                return None
        except (TokenRefusedError, ConsoleRefusedError, ConsoleSilentError):
            return None
        return claims

    def _no(self, asked: Asked, code: str, sentence: str = "", *, root: str) -> Answer:
        return refused(asked, Refusal(code=code, sentence=sentence, console=self.settings.console), root=root)


def _acting(claims: Claims, standing: Standing, *, console: str) -> Acting:
    is_consoles = standing.leave.startswith(f"{console}/")
    return Acting(
        sid=claims.sid,
        staff=claims.staff,
        staff_name=claims.staff_name,
        tenant=claims.tenant,
        subject=claims.subject,
        mode=standing.mode,
        not_after=standing.not_after,
        idle_until=standing.idle_until,
        reason_code=standing.reason_code,
        reference=standing.reference,
        leave=standing.leave if is_consoles else f"{console}/",
    )
