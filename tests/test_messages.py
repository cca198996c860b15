"""Sentences of errors and warnings: what is not the package's own stands in them cut to size.

How long they are is tested in robustness/test_messages.py.
"""

import ast

from tests.sources import parsed, source_files

#: Constants and names of the package itself, of which each is one of a few, or checked to be short.
OURS = {
    *("ADDITIONAL", "VERSION", "self.name", "meant", "task", "name", "content", "f'<{content}>'"),
    *("padding", "cuts", "strategy", "tensor_type", "known", "absent", "self._parts"),
    "self.keys()",
}
#: What is told of files and of others' errors, as long as it may be.
FOREIGN = {"file", "directory", "error", "value", "given"}


def interpolated(tree):
    """Find what is put into the sentences that are raised, and warned of."""
    for node in ast.walk(tree):
        is_warning = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("warn")
        if is_warning or isinstance(node, ast.Raise):
            yield from (one for one in ast.walk(node) if isinstance(one, ast.FormattedValue))


def is_cut(found):
    """Tell whether a value in a sentence is one of ours, or made short."""
    value = found.value
    text = ast.unparse(value)
    if found.conversion != -1:
        return text in OURS
    if ".join(" in text:
        (names,) = value.args
        while isinstance(names, ast.GeneratorExp | ast.Subscript):
            names = names.generators[0].iter if hasattr(names, "generators") else names.value
        parts = names.elts if isinstance(names, ast.List) else [names]
        ours = {ast.unparse(part).removeprefix("*").lstrip("_") for part in parts}
        return all(one.isupper() or one in OURS for one in ours)
    return text not in FOREIGN


def test_values_in_sentences_are_shown():
    whole = [
        f"{'/'.join(parts)}, line {found.lineno}: {ast.unparse(found.value)}"
        for parts, path in source_files()
        for found in interpolated(parsed(path))
        if not is_cut(found)
    ]
    assert not whole, "put shown, plain or listed around these"
