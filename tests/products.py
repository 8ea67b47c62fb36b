"""The product of the tests: a registration like that of the settings, with keys in the tests' own folder."""

from functools import cache

from console.adapters.connected_product import ConnectedProduct
from console.adapters.token_keys import FileTokenKeys
from tests import ground
from tests.databases import TestFingerprints

CLIENT_ID = "acme-app"
CLIENT_SECRET = "kz7Q2m-4vT9xW1sB8nL3pR6yD5cH0jFa"
CONSOLE = "https://console.example"
ADDRESS = "https://app.example"
CALLBACK = "/sallyport/callback"


@cache
def token_keys() -> FileTokenKeys:
    """Return the keys of this process's tokens."""
    return FileTokenKeys.opened(ground.folder() / "product-keys")


def connected_product() -> ConnectedProduct:
    """Return the product."""
    return ConnectedProduct(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        issuer=CONSOLE,
        address=ADDRESS,
        callback=CALLBACK,
        keys=token_keys(),
        fingerprints=TestFingerprints(),
    )
