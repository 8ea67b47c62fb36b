"""Fieldnote, an invented product for teams in the field: its own members, pages, data and API, with the kit."""
