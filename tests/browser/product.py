"""Console and demo product on two ports of this machine, with one clock, as browsers meet them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from flask import Flask

from console.adapters.demo.generator import demo_world
from console.app.demo_product import product_seed
from examples.product.app import create_app
from examples.product.people import hashed
from examples.product.serving import served
from examples.product.store import Store
from sallyport_kit import Kit, KitSettings
from sallyport_kit.flask import Sallyport
from tests.browser.stage import TENANTS, Stage, World, raised
from tests.processes import free_port

PASSWORD = "correct-horse-battery"


@dataclass
class Both:
    """The console's stage, and the product beside it."""

    console: Stage
    address: str
    app: Flask
    store: Store

    @property
    def kit(self) -> Kit:
        found: Sallyport = self.app.extensions["sallyport"]
        return found.kit


@contextmanager
def both_raised(world: World, folder: Path) -> Iterator[Both]:
    """Serve both; the console has to know the product's address before it starts, therefore ports are taken first."""
    console_port, product_port = (free_port() for _ in range(2))
    address = f"http://127.0.0.1:{product_port}"
    own = {
        "SALLYPORT_PRODUCT__ADDRESS": address,
        "SALLYPORT_PRODUCT__CONSOLE": f"http://127.0.0.1:{console_port}",
    }
    with raised(world, folder, port=console_port, own=own) as stage:
        product = stage.building.settings.product
        assert product is not None
        store = Store(folder / "fieldnote.db")
        store.make(product_seed(demo_world(TENANTS, now=datetime.now(UTC))), secret=hashed(PASSWORD))
        kit = KitSettings(
            console=product.console,
            product=product.address,
            client_id=product.client_id,
            client_secret=product.client_secret.get_secret_value(),
            report_every_s=0.1,
            timeout_s=20,  # two shared cores may be slow
        )
        app = create_app(store, kit, session_key="a key for tests", clock=lambda: stage.clock.now().timestamp())
        server = served(app, product_port)
        thread = Thread(target=server.serve_forever, name="product", daemon=True)
        thread.start()
        both = Both(stage, address, app, store)
        try:
            yield both
        finally:
            both.kit.close()
            server.shutdown()
            server.server_close()
            thread.join()
