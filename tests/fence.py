"""The fence around the suite: sockets reach this machine only, names are looked up nowhere."""

import ipaddress
import socket
import sys
from typing import Any

WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"})


class OutsideReachedError(AssertionError):
    """A test tried to leave this machine."""


def is_local(host: str | bytes | None) -> bool:
    """Tell whether a host is this machine, without asking a name server."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def raise_fence() -> None:
    """Refuse every socket of this process that leaves the machine, until it ends."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in WATCHED:
        return
    host = arguments[0]
    if isinstance(host, socket.socket):
        if host.family not in {socket.AF_INET, socket.AF_INET6} or arguments[1] is None:
            return
        host = arguments[1][0]
    if not is_local(host):
        message = f"A test reached for {host!r}; only this machine may answer."
        raise OutsideReachedError(message)
