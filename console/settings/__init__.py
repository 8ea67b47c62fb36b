"""Typed settings from one TOML file and `SALLYPORT_*`; anything unknown, missing or unsafe stops the start."""

from console.settings.faults import SettingsFaultsError
from console.settings.load import load_settings
from console.settings.model import Settings

__all__ = ["Settings", "SettingsFaultsError", "load_settings"]
