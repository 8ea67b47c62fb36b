"""Signed-in browsers: one random token in a cookie, all else in the store; before sign-in a short signed cookie."""

import hashlib
import logging
import secrets
from typing import Any

from flask import Flask, Request, Response, g, session
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, login_user
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import CallbackDict

from console.domain.errors import NotFoundError, OutsideError
from console.domain.ids import SessionKey
from console.domain.staff import Origin
from console.usecases.house import House
from console.usecases.resume_session import Resumed, SessionOver, resume_session, save_session_values
from console.usecases.sign_in import SignedIn, session_key
from console.usecases.step_up import SteppedUp

COOKIE = "__Host-sallyport"
DOOR_COOKIE = "__Host-sallyport-door"
DOOR_SECONDS = 15 * 60
_LOG = logging.getLogger("console.web")
_LONGEST_TOKEN = 128
_SIGNING = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
_TOKEN_NAME = "csrf_token"  # noqa: S105  where Flask-WTF keeps its secret in a session


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """The values of one browser: those of the store once `key` is set, those of the door's cookie until then.

    Shape: `token` is what the browser sent; `fresh` is a new token to send; `is_over` asks to delete the cookies.
    """

    def __init__(self, *, token: str, door: dict[str, Any], has_door: bool) -> None:
        super().__init__(door, lambda changed: setattr(changed, "modified", True))
        self.modified = False
        self.accessed = False
        self.token = token
        self.has_door = has_door
        self.key: SessionKey | None = None
        self.fresh: str | None = None
        self.is_over = False

    def become(self, values: dict[str, Any], *, key: SessionKey | None) -> None:
        """Hold other values, which are already stored."""
        self.clear()
        self.update(values)
        self.key = key
        self.modified = False


class StaffUser:
    """The signed-in person as Flask-Login wants to see one; the actor itself is `asking.actor()`."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, staff: str) -> None:
        self._staff = staff

    def get_id(self) -> str:
        """Return the staff id."""
        return self._staff


class StaffSessions(SessionInterface):
    """Opens and saves sessions; the store is asked later, by the gate, so that its failure has a page."""

    def __init__(self, house: House, *, key: str) -> None:
        self._house = house
        self._seal = URLSafeSerializer(key, salt="sallyport.door.v1", signer_kwargs=_SIGNING)

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Return what the cookies hold; nothing of it is believed to be a live session yet."""
        sealed = request.cookies.get(DOOR_COOKIE, "")
        token = request.cookies.get(COOKIE, "")
        is_possible = token.isascii() and len(token) <= _LONGEST_TOKEN
        return BrowserSession(token=token if is_possible else "", door=self._opened(sealed), has_door=bool(sealed))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store changed values and send, renew or delete the two cookies."""
        if not isinstance(session, BrowserSession):
            return
        if session.key is not None and session.modified:
            self._keep(session.key, dict(session))
        if session.fresh is not None:
            _set(response, COOKIE, session.fresh, seconds=None)
        elif session.is_over:
            _delete(response, COOKIE)
        if session.key is None and session.modified and session:
            _set(response, DOOR_COOKIE, self._sealed(dict(session)), seconds=DOOR_SECONDS)
        elif session.has_door and (session.key is not None or session.is_over or not session):
            _delete(response, DOOR_COOKIE)

    def _keep(self, key: SessionKey, values: dict[str, Any]) -> None:
        try:
            save_session_values(self._house, key, values)
        # What was asked for is done and said, and a message for the next page is not worth a fault; the session is gone
        # where another tab showed a second factor meanwhile.
        except (OutsideError, NotFoundError) as lost:
            _LOG.warning("a session's values were not kept: %s", lost)

    def _sealed(self, values: dict[str, Any]) -> str:
        return str(self._seal.dumps({"at": int(self._house.clock.now().timestamp()), "values": values}))

    def _opened(self, sealed: str) -> dict[str, Any]:
        if not sealed:
            return {}
        try:
            kept = self._seal.loads(sealed)
            age = int(self._house.clock.now().timestamp()) - int(kept["at"])
            return dict(kept["values"]) if 0 <= age < DOOR_SECONDS else {}
        except (BadData, KeyError, TypeError, ValueError):
            return {}


def resume(house: House, origin: Origin, *, is_activity: bool) -> None:
    """Find out whether the token is a live session, and put the actor and the values in place."""
    browser = current()
    if not browser.token:
        return
    answer = resume_session(house, token=browser.token, origin=origin, is_activity=is_activity)
    match answer:
        case Resumed(session=found):
            browser.become(found.values, key=found.key)
            g.resumed = answer
        case SessionOver(because=because):
            browser.is_over = True
            g.session_over = because


def begin(signed: SignedIn) -> None:
    """Give the browser its new session: a new token, new form secrets, nothing of what it held before."""
    browser = current()
    browser.become({}, key=signed.session.key)
    browser.fresh = signed.token
    browser.is_over = False
    _renew_form_secret(browser)
    login_user(StaffUser(signed.member.id))


def rotate(house: House, stepped: SteppedUp, origin: Origin) -> None:
    """Go on under the new token of a step-up, with the actor as it is now; open forms stay good."""
    browser = current()
    browser.fresh = stepped.token
    browser.key = session_key(stepped.token)
    answer = resume_session(house, token=stepped.token, origin=origin, is_activity=True)
    if isinstance(answer, Resumed):
        g.resumed = answer


def end() -> None:
    """Make the browser forget; the store has ended the session already."""
    browser = current()
    browser.become({}, key=None)
    browser.is_over = True
    g.pop("resumed", None)
    g.pop(_TOKEN_NAME, None)


def renew_door() -> None:
    """Let a stranger's form be good for the whole time from now on."""
    browser = current()
    if browser.key is None:
        browser.modified = True


def form_secret() -> object:
    """Return what this browser's form tokens are made of, None before the first."""
    return current().get(_TOKEN_NAME)


def use_form_token(token: str) -> str:
    """Let a token that was made of this browser's secret before be the one of this answer, for every form on it."""
    used: str = g.setdefault(_TOKEN_NAME, token)
    return used


def why_over() -> str:
    """Return why the session that the browser still named is over, empty when it named none."""
    found: str = g.get("session_over", "")
    return found


def current() -> BrowserSession:
    """Return the session of this request. Raises: TypeError when the app was put together wrongly."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  werkzeug's word for "the thing itself"
    if not isinstance(found, BrowserSession):
        raise TypeError("this app does not use StaffSessions")
    return found


def sign_in_people(app: Flask) -> None:
    """Let Flask-Login know who is signed in; only the store's session counts, never its own cookie."""
    manager = LoginManager()
    manager.session_protection = None  # it compares addresses and browser names, which change; the store decides
    manager._session_identifier_generator = str  # noqa: SLF001  therefore; it would be hashed with every request
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(staff: str) -> StaffUser | None:
        resumed: Resumed | None = g.get("resumed")
        return StaffUser(staff) if resumed is not None and resumed.actor.staff == staff else None


def _renew_form_secret(browser: BrowserSession) -> None:
    browser[_TOKEN_NAME] = secrets.token_hex(32)
    g.pop(_TOKEN_NAME, None)


def _set(response: Response, name: str, value: str, *, seconds: int | None) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")


def _delete(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
