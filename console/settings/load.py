"""Reads the settings of an installation: the environment over one TOML file, everything checked before the start."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from console.settings.faults import SettingsFaultsError, fault_lines, faulty_places
from console.settings.model import Settings
from console.settings.partial import Partial, joined
from console.settings.rules import Readable, rule_faults

PREFIX = "SALLYPORT_"
CONFIG_KEY = "SALLYPORT_CONFIG"
DEFAULT_FILE = Path("sallyport.toml")


def load_settings(environ: Mapping[str, str], config_file: Path | None = None) -> Settings:
    """Return the settings of this installation; the environment wins over the file.

    Shape: `config_file` or `SALLYPORT_CONFIG` must exist when given; `sallyport.toml` is read when it is there.
    Raises: SettingsFaultsError with one line per fault.   Source: docs/settings.md.
    """
    named = config_file or (Path(environ[CONFIG_KEY]) if environ.get(CONFIG_KEY) else None)
    file = named or DEFAULT_FILE
    if named is not None and not named.is_file():
        raise SettingsFaultsError([f"{named}: there is no such settings file; mend {CONFIG_KEY} or make the file."])
    given, faults = _from_environment(environ)
    reader = type("Settings", (Settings,), {"model_config": SettingsConfigDict(toml_file=file), "__module__": __name__})
    try:
        settings: Settings = reader(**given)
    except ValidationError as wrong:
        rest = Partial(Settings, joined(_from_file(file), given), faulty_places(wrong))
        faults += [*fault_lines(wrong, Settings), *rule_faults(cast("Readable", rest))]
        raise SettingsFaultsError(faults) from None
    except (ValueError, OSError, SettingsError) as broken:
        raise SettingsFaultsError([*faults, f"{file}: cannot be read as TOML: {broken}."]) from None
    faults += rule_faults(settings)
    if faults:
        raise SettingsFaultsError(faults)
    return settings


def _from_file(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _from_environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the nested values of `SALLYPORT_*`, and a fault for each key that is at once a value and a section."""
    found: dict[str, Any] = {}
    faults: list[str] = []
    for key in sorted(environ):
        if not key.startswith(PREFIX) or key == CONFIG_KEY:
            continue
        *sections, name = key.removeprefix(PREFIX).lower().split("__")
        place: Any = found
        for section in sections:
            place = place.setdefault(section, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or isinstance(place.get(name), dict):
            faults.append(f"{key}: a part of this key is set as a value of its own; unset one of the two.")
            continue
        place[name] = environ[key]
    return found, faults
