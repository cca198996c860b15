"""From encoded texts to the rows and columns of a batch: pairs, windows, padding, arrays."""
