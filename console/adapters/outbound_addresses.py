"""Which addresses may be called from inside the house: a table, for no library's idea of "global" is safe enough."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 2_048
_SCHEME_PORTS = {"https": 443, "http": 80}

# Source: the IANA special-purpose registries. Python 3.11's `is_global` calls several of these global.
SPECIAL: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier's translation
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, loopback, v4-compatible
        "::ffff:0:0/96",  # v4-mapped
        "::ffff:0:0:0/96",  # v4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "100::/64",  # discard
        "2001::/23",  # protocol assignments, Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
_UNICAST = ip_network("2000::/3")  # of IPv6, nothing else is given out


def address_fault(address: str, *, allowed: Collection[Network] = ()) -> str | None:
    """Return why an address may not be called, or None; `allowed` networks are excepted."""
    try:
        found = ip_address(address)
    except ValueError:
        return f"{address!r} is no address."
    if any(found in network for network in allowed):
        return None
    if any(found in network for network in SPECIAL) or (isinstance(found, IPv6Address) and found not in _UNICAST):
        return f"{found} is not an address of the public internet."
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        return f"{found} names an interface of this machine."
    return None


def any_address_fault(addresses: Sequence[str], *, allowed: Collection[Network] = ()) -> str | None:
    """Return the first fault among all addresses of a name: one bad address refuses it whole."""
    return next(filter(None, (address_fault(each, allowed=allowed) for each in addresses)), None)


def split_url(url: str, *, ports: Collection[int], https_only: bool) -> SplitResult | str:
    """Return the parts of an address that may be called as far as its spelling shows, or what is wrong with it."""
    return _split(url, frozenset(ports), https_only)


@lru_cache(maxsize=1_024)  # every message asks, and a spelling stays as good or bad as it is
def _split(url: str, ports: frozenset[int], https_only: bool) -> SplitResult | str:  # noqa: FBT001  part of the key
    if len(url) > LONGEST_URL:
        return f"It is longer than {LONGEST_URL:,} characters."
    if any(letter <= " " or letter in {"\x7f", "\\"} for letter in url):
        return "It holds a space, a backslash or a control character."
    if not url.isascii():
        return "It holds letters beyond ASCII; write a name in its xn-- form, and the rest with percent signs."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "It is not an address."
    if parts.scheme not in _SCHEME_PORTS or (https_only and parts.scheme != "https"):
        return "It must begin with https://." if https_only else "It must begin with https:// or http://."
    if parts.username is not None or parts.password is not None:
        return "It must not carry a name or a password."
    if not parts.hostname or "%" in parts.netloc:
        return "It names no host."
    if parts.fragment:
        return "It must not have a part after #."
    if (port if port is not None else _SCHEME_PORTS[parts.scheme]) not in ports:
        return f"Its port is not among {', '.join(map(str, sorted(ports)))}."
    return parts


def networks(texts: Collection[str]) -> tuple[Network, ...]:
    """Return networks by their CIDR texts. Raises: ValueError."""
    return tuple(ip_network(each) for each in texts)


def port_of(parts: SplitResult) -> int:
    """Return the port that an address means."""
    return parts.port if parts.port is not None else _SCHEME_PORTS[parts.scheme]
