"""The same results sooner: what need not be read, and is tested to be equal."""
