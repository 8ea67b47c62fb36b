"""The kit as ASGI middleware: what WSGI gets, for applications of coroutines."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sallyport_kit.acting import ENVIRON_KEY, enter
from sallyport_kit.effects import Found
from sallyport_kit.errors import KitError
from sallyport_kit.injecting import Injector
from sallyport_kit.kit import Kit
from sallyport_kit.pages import as_headers
from sallyport_kit.visits import Visit
from sallyport_kit.web import Answer, Asked

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_NOT_ASKED_FOR = frozenset({
    b"if-none-match", b"if-modified-since", b"if-range", b"accept-encoding",
    # the method that was decided about is the one that runs, whatever middleware is inside
    b"x-http-method-override", b"x-http-method", b"x-method-override",
})  # fmt: skip
_PAST_US = frozenset({"http.response.pathsend", "http.response.zerocopysend"})
_POLICY_VIOLATION = 1008


class ImpersonationEndedError(KitError):
    """The impersonation ended while its answer was still under way; the rest is not sent."""


class AsgiKit:
    """Wraps an ASGI application; `routes` finds what the request's endpoint declares, before the application runs."""

    def __init__(self, app: App, kit: Kit, *, routes: Callable[[Scope], Found | None]) -> None:
        """Wrap one application."""
        self._app = app
        self._kit = kit
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        enter(None)
        scope.pop(ENVIRON_KEY, None)
        cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        root = scope.get("root_path", "")
        path = _below(scope["path"], root)
        if not self._kit.concerns(path, cookies):
            await self._app(scope, receive, send)
            return
        asked = _asked(scope, path, cookies)
        is_quick = self._kit.is_quick(asked)
        admitted = (
            self._kit.admit(asked, root=root)
            if is_quick
            else await asyncio.to_thread(self._kit.admit, asked, root=root)
        )
        if admitted is None:
            await self._app(scope, receive, send)
        elif isinstance(admitted, Answer):
            await _sent(admitted, scope, send)
        else:
            await self._visited(admitted, scope, receive, send)

    async def _visited(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        under_way = _UnderWay(visit, send)
        enter(visit.who)
        try:
            if scope["type"] == "websocket":
                visit.refuse("websocket_refused")
                visit.report(403)
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            elif visit.permit(self._routes(scope)) is not None:
                await under_way.answered(visit.refuse())
            else:
                headers = [(name, value) for name, value in scope["headers"] if name not in _NOT_ASKED_FOR]
                headers.append((b"accept-encoding", b"identity"))
                seen = {**scope, "headers": headers, ENVIRON_KEY: visit.who}
                # Files have to come through here, where they are marked and cut.
                seen["extensions"] = {
                    name: value for name, value in (scope.get("extensions") or {}).items() if name not in _PAST_US
                }
                await self._app(seen, receive, under_way.send)
        finally:
            enter(None)
            visit.report(500)  # does nothing for an answer that began


class _UnderWay:
    """An impersonated answer on its way out."""

    def __init__(self, visit: Visit, send: Send) -> None:
        self._visit = visit
        self._send = send
        self._injector: Injector | None = None

    async def send(self, message: Message) -> None:
        """Mark the answer's beginning and put the banner into its body."""
        if message["type"] == "http.response.start":
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            marked, self._injector = self._visit.marked(message["status"], headers)
            self._visit.report(message["status"])
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in marked]
            await self._send({**message, "headers": raw})
        elif message["type"] == "http.response.body":
            await self._body(message)
        else:
            await self._send(message)

    async def answered(self, answer: Answer) -> None:
        """Send an answer of the kit's own, marked like every other."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in as_headers(answer)]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": answer.body})

    async def _body(self, message: Message) -> None:
        has_more = bool(message.get("more_body"))
        if has_more and await asyncio.to_thread(self._visit.is_over):
            raise ImpersonationEndedError(self._visit.who.sid)
        if self._injector is None:
            await self._send(message)
            return
        body = self._injector.feed(message.get("body", b""))
        if not has_more:
            body += self._injector.finish()
        await self._send({**message, "body": body})


async def _sent(answer: Answer, scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in as_headers(answer)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _below(path: str, root: str) -> str:
    """Return the path below the mount point; servers differ in whether `path` holds it."""
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _asked(scope: Scope, path: str, cookies: str) -> Asked:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Asked(
        method=scope.get("method", "GET"),
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={**headers, "cookie": cookies},
    )
