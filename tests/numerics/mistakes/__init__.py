"""How mistakes are planted into transformers' RoBERTa; `tests.numerics.planted` lists them."""
