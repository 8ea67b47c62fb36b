"""Actions by which staff act for a member inside the product."""
