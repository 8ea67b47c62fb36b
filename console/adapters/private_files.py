"""Small documents as files that only this account can read: whole or not there at all."""

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

_PRIVATE = 0o600
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST, _MARK = 120, 12


def put_document(folder: Path, name: str, document: Mapping[str, object], *, at: datetime) -> None:
    """Write one JSON file, named after its moment and `name`; writing it again rewrites it. Raises: OSError."""
    own = f"{at:%Y%m%dT%H%M%S}-{_file_name(name)}.json"
    draft = folder / f".{own}.{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
        file.write("\n")
    draft.replace(folder / own)


def _file_name(name: str) -> str:
    """Return a name as files may have it: another one for each, also where letters had to be replaced or left out."""
    plain = _ODD.sub("_", name)[:_LONGEST]
    return plain if plain == name else f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:_MARK]}"
