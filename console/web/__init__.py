"""Flask: gate, rendering and errors; no SQL, no role test and no commit."""
