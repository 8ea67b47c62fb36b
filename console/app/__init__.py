"""The composition root: the only place that sees every ring; it builds, serves and fills the demo."""

from console.app import deferred  # first: what it names must not be loaded by the imports below
from console.app.serving import create_app
from console.app.works import main

__all__ = ["create_app", "main"]

deferred.all_loaded()
