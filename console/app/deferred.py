"""The modules that are loaded when they are first used: a start does not wait for what most starts never need."""

import gc
import sys
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Any

# Each is imported as a module (`from console.adapters import oidc`), so that a name in it is looked up when used.
DEFERRED = (
    "console.adapters.oidc",  # Authlib, joserfc and requests: only where staff sign in with a provider
    "console.adapters.token_keys",  # joserfc again: only where a product is connected
    "console.adapters.stripe.connecting",  # the official library and requests: when the provider is first asked
    "console.storage.upgrades",  # Alembic: only where a database may have to be brought to the newest shape
    "rich.console",  # pictures for a terminal
    "rich.progress",
    "segno",
    "xlsxwriter",  # only where an accounting period is prepared
)
_loading = RLock()
_was_collecting = gc.isenabled()
gc.disable()  # nothing that is loaded now is garbage, and looking for it is an eighth of the time of a start


class Deferred(ModuleType):
    """Stands in the place of a module until something in it is asked for; two threads load it once."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the module holds
        """Load the module and look there; what Python asks of every module is not a use of it."""
        if name.startswith("__"):
            raise AttributeError(name)
        with _loading:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            loaded = import_module(self.__name__)
        return getattr(loaded, name)


def all_loaded() -> None:
    """Collect garbage again, if that was so before: everything that a start needs is there, and stays."""
    if _was_collecting:
        gc.freeze()  # or the first collection looks through all of it, for a tenth of a second
        gc.enable()


for _name in DEFERRED:
    sys.modules.setdefault(_name, Deferred(_name))
