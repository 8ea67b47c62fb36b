"""The kit as WSGI middleware: outermost, so that nothing of the product runs before the visitor is known."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sallyport_kit.acting import ENVIRON_KEY, enter
from sallyport_kit.effects import Found
from sallyport_kit.injecting import Injector
from sallyport_kit.kit import Kit
from sallyport_kit.pages import as_headers
from sallyport_kit.visits import Visit
from sallyport_kit.web import Answer, Asked, Headers

VISIT_KEY = "sallyport.visit"
_NOT_ASKED_FOR = (
    "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE",
    # the method that was decided about is the one that runs, whatever middleware is inside
    "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE",
)  # fmt: skip


class WsgiKit:
    """Wraps a WSGI application.

    Shape: `routes` finds what the request's endpoint declares, before the application runs. Without it something
    inside (the Flask extension) has to decide; an answer that comes without a decision is withheld.
    """

    def __init__(
        self,
        app: WSGIApplication,
        kit: Kit,
        *,
        routes: Callable[[WSGIEnvironment], Found | None] | None,
    ) -> None:
        """Wrap one application."""
        self._app = app
        self._kit = kit
        self._routes = routes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        enter(None)
        environ.pop(ENVIRON_KEY, None)
        if not self._kit.concerns(environ.get("PATH_INFO", ""), environ.get("HTTP_COOKIE", "")):
            return self._app(environ, start_response)
        root = environ.get("SCRIPT_NAME", "")
        admitted = self._kit.admit(_asked(environ), root=root)
        if admitted is None:
            return self._app(environ, start_response)
        if isinstance(admitted, Answer):
            return _sent(admitted, start_response)
        return self._visited(admitted, environ, start_response)

    def _visited(self, visit: Visit, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in _NOT_ASKED_FOR:
            environ.pop(name, None)
        environ["HTTP_ACCEPT_ENCODING"] = "identity"
        environ[ENVIRON_KEY] = visit.who
        environ[VISIT_KEY] = visit
        enter(visit.who)
        under_way = _UnderWay(visit, start_response)
        try:
            if self._routes is not None and visit.permit(self._routes(environ)) is not None:
                return _refused(visit, under_way)
            return under_way.passed(self._app(environ, under_way.start))
        except BaseException:
            enter(None)
            visit.report(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise


class _UnderWay:
    """An impersonated answer on its way out."""

    def __init__(self, visit: Visit, start_response: StartResponse) -> None:
        self._visit = visit
        self._start_response = start_response
        self._injector: Injector | None = None
        self._withheld: Answer | None = None

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:  # noqa: ANN401
        """Mark the answer that begins; withhold one that nobody has decided about."""
        if not self._visit.is_decided:
            self._withheld = self._visit.refuse()
            number = self._withheld.status
            status, headers = _line(number), as_headers(self._withheld)
        else:
            number = int(status.partition(" ")[0])
        marked, self._injector = self._visit.marked(number, headers)
        self._visit.report(number)
        write = self._start_response(status, marked, exc_info) if exc_info else self._start_response(status, marked)

        def written(piece: bytes) -> object:
            return None if self._withheld is not None else write(self._fed(piece))

        return written

    def passed(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """Return the answer's body, with the banner where it can take one."""
        if isinstance(pieces, list | tuple) and len(pieces) <= 1:
            # The usual page: one piece, and nothing runs any more when it is on its way.
            whole = [b"".join(self._through(pieces))]
            enter(None)
            return whole
        return _Closing(self._visit, self._through(pieces), pieces)

    def _through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._withheld is not None:
                break
            if self._visit.is_over():
                return
            if passed := self._fed(piece):
                yield passed
        body = self._withheld.body if self._withheld is not None else b""
        if self._injector is None:
            yield body
            return
        yield self._injector.feed(body) + self._injector.finish()

    def _fed(self, piece: bytes) -> bytes:
        return piece if self._injector is None else self._injector.feed(piece)


class _Closing:
    """Pieces with the end of what they were made of; who acts is forgotten with the last one."""

    def __init__(self, visit: Visit, pieces: Iterator[bytes], inner: Iterable[bytes]) -> None:
        self._visit = visit
        self._pieces = pieces
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the product's answer."""
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            self._visit.report(HTTPStatus.INTERNAL_SERVER_ERROR)  # does nothing for an answer that began
            enter(None)


def _refused(visit: Visit, under_way: _UnderWay) -> Iterable[bytes]:
    answer = visit.refuse()
    under_way.start(_line(answer.status), as_headers(answer))
    return under_way.passed([answer.body])


def _sent(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    start_response(_line(answer.status), as_headers(answer))
    return [answer.body]


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _asked(environ: WSGIEnvironment) -> Asked:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return Asked(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", ""),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
    )
