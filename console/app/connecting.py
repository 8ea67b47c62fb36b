"""Which product is connected, as the settings say."""

from console.adapters import token_keys
from console.adapters.connected_product import ConnectedProduct
from console.adapters.fingerprints import HmacFingerprints
from console.ports.product import Product
from console.settings import Settings


def connected(settings: Settings) -> Product | None:
    """Return the product that settings name, None where there is none. Raises: SigningKeyError."""
    chosen = settings.product
    if chosen is None:
        return None
    return ConnectedProduct(
        client_id=chosen.client_id,
        client_secret=chosen.client_secret.get_secret_value(),
        issuer=chosen.console,
        address=chosen.address,
        callback=chosen.callback,
        keys=token_keys.FileTokenKeys.opened(settings.product_key_folder),
        fingerprints=HmacFingerprints(settings.secrets.fingerprint_key.get_secret_value()),
    )
