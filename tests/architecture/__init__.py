"""What must hold for the whole tree: routes, layers, templates, docs and set-up; no single feature."""
