"""The methods of a tokenizer, a file a subject: each class adds its own to the one before."""
