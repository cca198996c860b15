"""How fast this package is on a machine, and beside transformers on torch where that is installed.

``minirobert bench`` prints it; ``python -m tests.benchmarks`` compares much more.

- `minirobert.benchmarks.turns`: sides measured in turn, and the ratio of two;
- `minirobert.benchmarks.machine`: the processor, the library of linear algebra and its peak;
- `minirobert.benchmarks.batches`: batches of tokens, and the arithmetic that they take;
- `minirobert.benchmarks.encoder`: a forward pass here, and the same on torch;
- `minirobert.benchmarks.rows`: what is measured, as a row;
- `minirobert.benchmarks.table`: rows as text, and as Markdown.
"""
