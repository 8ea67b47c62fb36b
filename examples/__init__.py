"""What a company puts beside the console: files to import, and a product that staff can act in."""
