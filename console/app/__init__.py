"""The composition root: the only place that sees every ring; it builds, serves and fills the demo."""

from console.app.serving import create_app
from console.app.works import main

__all__ = ["create_app", "main"]
