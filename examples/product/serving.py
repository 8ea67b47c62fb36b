"""Serves Fieldnote with werkzeug's threads: loopback only, for a demo; a real product has its own server."""

import json
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from examples.product.app import create_app
from examples.product.people import hashed
from examples.product.store import Store, read_seed
from sallyport_kit import KitSettings


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  the library's own signature
        """Write nothing to the terminal."""


def made(data: Path, environ: Mapping[str, str]) -> Flask:
    """Return the product of a folder: seed.json and secrets.json lie there, the database is made from them."""
    secrets = json.loads((data / "secrets.json").read_text(encoding="utf-8"))
    store = Store(data / "fieldnote.db")
    store.make(read_seed(data / "seed.json"), secret=hashed(secrets["password"]))
    return create_app(
        store,
        KitSettings.from_environ(environ),
        session_key=secrets["session_key"],
        demo_password=secrets["password"],
    )


def served(app: Flask, port: int) -> BaseWSGIServer:
    """Return a server on loopback; port 0 takes any that is free."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)


def serve(port: int, data: Path, environ: Mapping[str, str]) -> None:
    """Serve until the process ends."""
    served(made(data, environ), port).serve_forever()
