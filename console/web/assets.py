"""Static files: addresses that carry the file's hash, and how long a browser may keep each."""

from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, request

_MARK = "v"
_LETTERS = 12
_FOR_EVER = "public, max-age=31536000, immutable"
_A_WHILE = "public, max-age=3600"


class Assets:
    """The files under static/, hashed once at the start."""

    def __init__(self, folder: Path, *, prefix: str = "/static") -> None:
        self._prefix = prefix
        self._marks = {
            path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()[:_LETTERS]
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def address(self, name: str) -> str:
        """Return the address of a file. Raises: KeyError for a file that does not exist."""
        return f"{self._prefix}/{name}?{_MARK}={self._marks[name]}"

    def lifetime(self, name: str, mark: str | None) -> str:
        """Return Cache-Control: for ever when the address names exactly these bytes."""
        return _FOR_EVER if mark is not None and self._marks.get(name) == mark else _A_WHILE


def serve_assets(app: Flask, folder: Path) -> Assets:
    """Make `asset(...)` known to templates and give static answers their lifetime."""
    assets = Assets(folder)
    app.jinja_env.globals["asset"] = assets.address

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in {200, 206, 304}:
            name = str((request.view_args or {}).get("filename", ""))
            response.headers["Cache-Control"] = assets.lifetime(name, request.args.get(_MARK))
        return response

    return assets
