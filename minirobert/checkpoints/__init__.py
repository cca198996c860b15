"""Weights in files: reading, writing, resizing, pruning; ``tiny/`` is the bundled model."""
