"""Serve the invented provider on this machine: `python -m console.adapters.fake_stripe PORT FILE [URL SECRET]`.

The key is read from the environment, `FAKE_STRIPE_KEY`; with an address and a secret, signed webhooks go there.
"""

import os
import sys
import threading
import time
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.fake_stripe.delivering import Deliverer, Endpoint
from console.adapters.fake_stripe.rendering import NEWEST

_DELIVER_EVERY_S = 0.5


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's own signature
        """Write nothing to the terminal."""


def served(app: FakeStripe, port: int) -> WSGIServer:
    """Return a server on loopback; port 0 takes any that is free."""
    return make_server("127.0.0.1", port, app, server_class=_Server, handler_class=_Handler)


def main() -> None:
    """Serve until the process ends; prints the address."""
    port, file, *endpoint = sys.argv[1:]
    app = FakeStripe(Path(file), api_key=os.environ["FAKE_STRIPE_KEY"])
    if endpoint:
        url, secret = endpoint
        deliverer = Deliverer(app.book, Endpoint(url, secret, NEWEST))
        threading.Thread(target=_deliver, args=(deliverer,), name="webhooks", daemon=True).start()
    server = served(app, int(port))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _deliver(deliverer: Deliverer) -> None:
    while True:
        deliverer.deliver_due()
        time.sleep(_DELIVER_EVERY_S)


if __name__ == "__main__":
    main()
