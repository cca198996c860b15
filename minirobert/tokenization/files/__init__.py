"""The files of a tokenizer: vocab.json and merges.txt, tokenizer.json, and its settings."""
