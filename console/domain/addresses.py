"""Network addresses as counters know them: what one stranger has at hand is one."""

from ipaddress import IPv6Address, IPv6Network, ip_address

_SITE_BITS = 64


def network_of(address: str) -> str:
    """Return the network that an address stands for: itself, or the /64 that every IPv6 host can wander in."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, _SITE_BITS), strict=False))
