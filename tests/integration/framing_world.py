"""A house with nobody in it, served by the real server as `sallyport serve` starts it, in a group of its own."""

import os
from collections.abc import Mapping

from console.app.serving import serve
from tests.integration.served_world import settings_of


def serve_empty(told: Mapping[str, str]) -> None:
    """Serve until killed."""
    os.setsid()
    serve(settings_of(told))
