"""The shapes in the margins of the package, read from its source and compared with what runs."""
