"""How personal data is shown without being shown: the shape stays, the content goes."""

_DOT = "•"


def masked_email(address: str) -> str:
    """Return the shape of an e-mail address, for example `j•••@a•••.com`."""
    local, at, domain = address.partition("@")
    if not at:
        return masked_text(address)
    host, dot, ending = domain.rpartition(".")
    if not dot:
        host, ending = domain, ""
    return f"{local[:1]}{_DOT * 3}@{host[:1]}{_DOT * 3}{dot}{ending}"


def masked_phone(number: str) -> str:
    """Return only the last two digits of a telephone number."""
    return f"{_DOT * 6}{number[-2:]}" if len(number) > 2 else _DOT * 6


def masked_text(text: str) -> str:
    """Return the first letter of a text and nothing else."""
    return f"{text[:1]}{_DOT * 3}"
