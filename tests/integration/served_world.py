"""The demo's house, filled and served on databases that a test names, in a group of processes that it can kill."""

import os
from collections.abc import Mapping
from pathlib import Path

from console.adapters.demo.generator import PLANES
from console.adapters.demo.staff import demo_environ, kept_staff
from console.app.demo import fill, shown
from console.app.serving import serve
from console.settings import Settings, load_settings

TENANTS = 20


def settings_of(told: Mapping[str, str]) -> Settings:
    """Return the settings of a demo whose databases are elsewhere. Shape: told `var`, `port`, `url` and each plane."""
    environ = demo_environ(Path(told["var"]), port=int(told["port"]), planes=PLANES)
    elsewhere = {f"SALLYPORT_DATABASE__PLANES__{name.upper()}": told[name] for name in PLANES}
    return load_settings(environ | elsewhere | {"SALLYPORT_DATABASE__URL": told["url"]})


def serve_house(told: Mapping[str, str]) -> None:
    """Fill what is not filled yet, and serve until killed."""
    os.setsid()
    settings = settings_of(told)
    people = kept_staff(settings.var)
    fill(settings, people, tenants=TENANTS, compares=False)
    serve(settings, people=lambda building: shown(building, people), ready=lambda: None)
