"""Views: parse, ask one use case, match the answer; no query and no decision."""
