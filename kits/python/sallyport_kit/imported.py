"""The id of a member whom the console knows by import; one whom it reads through views keeps the product's own id."""

from hashlib import sha256

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def imported_member_id(tenant: str, member: str) -> str:
    """Return what `Acting.subject` is for a member who was imported.

    Shape: `tenant` and `member` are the external ids of the import. Keep it beside the member, to look up by it.
    """
    text = "".join(f"{len(part)}:{part}" for part in ("mem", tenant, member))
    number = int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:17])
    return f"mem_{''.join(_LETTERS[number >> shift & 31] for shift in range(0, _LENGTH * 5, 5))}"
