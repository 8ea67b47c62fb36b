"""The entry point of WSGI servers."""

from console.app import create_app

app = create_app()
