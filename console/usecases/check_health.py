"""Whether the house can serve: the control store answers, within a second."""

import threading
from weakref import WeakKeyDictionary

from console.domain.errors import ConsoleError
from console.ports.store import Store
from console.usecases.house import House

_PATIENCE_S = 0.8
_guard = threading.Lock()
_under_way: "WeakKeyDictionary[Store, threading.Thread]" = WeakKeyDictionary()


def is_healthy(house: House) -> bool:
    """Return whether the control store answers; while one question hangs, no other is asked."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            house.store.ping()
        except ConsoleError:
            return
        answers.append(True)

    with _guard:
        hanging = _under_way.get(house.store)
        if hanging is not None and hanging.is_alive():
            return False
        asked = threading.Thread(target=ask, name="health", daemon=True)
        _under_way[house.store] = asked
        asked.start()
    asked.join(_PATIENCE_S)
    return bool(answers)
