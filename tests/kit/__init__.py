"""The product kit, held to its contract: the same cases for WSGI, ASGI and Flask, against a double of the console."""
