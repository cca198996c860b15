"""Claims about shapes, read from source: comments in the margins, and docstrings.

Behind a ``def``, ``# [B, S, H], bool [B, T] -> [B, C]`` is about its array arguments, in their
order, and about what it returns. Behind a statement, ``# [B, S]`` is about what was assigned or
returned. A remark may follow behind a semicolon, colon or comma.
"""

import ast
import inspect
import io
import re
import tokenize
from dataclasses import dataclass

from tests.margins.letters import BRACKET

SHAPES = rf"(?:(?:bool|int64|integers|floats) )?(?:[\w +]+ times )?{BRACKET}(?: or {BRACKET})*"
LIST = rf"{SHAPES}(?:, {SHAPES})*"
COMMENT = re.compile(rf"#:? (?P<given>{LIST})?(?: ?-> (?P<returned>{LIST}))?(?=$|[ ,;:.])")
IN_DOCSTRING = re.compile(rf"(?:(?P<names>\w+(?:, \w+)*) : )?(?P<text>.*\bof shape {BRACKET}.*)")
MOMENTS = {"Parameters": "given", "Returns": "returned", "Attributes": "field"}


@dataclass(frozen=True)
class Claim:
    """That an array has a shape, ``[B, S]``, or one of two, ``[T] or [B, T]``."""

    where: str  # file:line
    owner: tuple[str, ...]  # the function, as its code knows itself, or the class
    moment: str  # "given", "returned", "assigned" or "field"
    name: str
    text: str
    place: int | None = None  # in the tuple that is returned
    lines: range = range(0)  # of the statement

    def __str__(self):
        return f"{self.where}: {self.name} says {self.text}"


class Reader(ast.NodeVisitor):
    """Read the claims of one file; ``unread`` are comments with shapes that fit nothing."""

    def __init__(self, path, parts):
        self.path, self.name, self.claims = path, "/".join(parts), []
        self.module = ".".join(["minirobert", *parts]).removesuffix(".__init__")
        self.owner = self.class_name = None
        source = path.read_text(encoding="utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        texts = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
        matches = {line: COMMENT.match(text) for line, text in texts.items()}
        self.comments = {line: m for line, m in matches.items() if m and any(m.groups())}
        self.read = set()
        self.visit(ast.parse(source))
        self.unread = [
            f"{self._where(line)}: {texts[line]}" for line in self.comments.keys() - self.read
        ]

    def visit_ClassDef(self, node):  # as ast calls it
        outer, self.class_name = (self.owner, self.class_name), node.name
        self.owner = (self.module, node.name)
        self._docstring(node)
        self.generic_visit(node)
        self.owner, self.class_name = outer

    def visit_FunctionDef(self, node):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        outer, self.owner = self.owner, (str(self.path), node.name, first)
        arguments = [*node.args.args, *filter(None, [node.args.vararg]), *node.args.kwonlyargs]
        arrays = [a for a in arguments if a.annotation and "Array" in ast.unparse(a.annotation)]
        for line in self.comments.keys() & set(range(node.lineno, node.body[0].lineno)):
            beside = [a for a in arguments if a.lineno == line > node.lineno]
            self._claim(line, "given", "given", [a.arg for a in beside or arrays])
            self._claim(line, "returned", "returned")
        self._docstring(node)
        self.generic_visit(node)
        self.owner = outer

    def _statement(self, node):
        lines, above = range(node.lineno, node.end_lineno + 1), node.lineno - 1
        line = next((n for n in lines if n in self.comments), above)
        is_beside = line != above or (line in self.comments and self.comments[line][0][1] == ":")
        if not is_beside or self.owner is None:
            return
        if isinstance(node, ast.Return):
            self._claim(line, "given", "returned", lines=lines)
            return
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        names = [ast.unparse(part) for part in getattr(target, "elts", [target])]
        is_field = isinstance(node, ast.AnnAssign) and len(self.owner) == 2
        if is_field or (isinstance(node, ast.AnnAssign) and names[0].startswith("self.")):
            outer, self.owner = self.owner, (self.module, self.class_name)
            self._claim(line, "given", "field", [names[0].removeprefix("self.")])
            self.owner = outer
        else:
            self._claim(line, "given", "assigned", names, lines)

    visit_Assign = visit_AnnAssign = visit_AugAssign = visit_Return = _statement  # noqa: N815  # ast's names

    def _where(self, line):
        return f"{self.name}.py:{line}"

    def _claim(self, line, group, moment, names=(), lines=range(0)):
        """Make claims of a comment's shapes; one shape may be that of several targets."""
        texts = re.findall(SHAPES, self.comments[line][group] or "")
        if moment == "assigned" and len(texts) == 1:
            texts *= len(names)
        if moment == "returned":
            names = ["what it returns"] * len(texts)
        if len(texts) > len(names):
            return
        self.read.add(line)
        for i, (name, text) in enumerate(zip(names, texts, strict=False)):
            place = i if moment == "returned" and len(texts) > 1 else None
            self.claims.append(
                Claim(self._where(line), self.owner, moment, name, text, place, lines)
            )

    def _docstring(self, node):
        """Make claims of ``name : Array of shape [B, S]`` in the sections of a docstring."""
        first, section, found = node.body[0], "", []
        text = first.value.value if ast.get_docstring(node) else ""
        lines = inspect.cleandoc(text).split("\n")
        for i, line in enumerate(lines):
            if set(line) == {"-"}:
                section = lines[i - 1]
            match = IN_DOCSTRING.match(line)
            if match and self.owner and section in MOMENTS and not line.startswith(" "):
                names = (match["names"] or "what it returns").split(", ")
                found += [(self._where(first.lineno + i), section, n, match["text"]) for n in names]
        n_returned = [section for _, section, *_ in found].count("Returns")
        for where, section, name, text in found:
            place = None
            if section == "Returns" and n_returned > 1:
                place = [entry for entry in found if entry[1] == "Returns"].index(
                    (where, section, name, text)
                )
            moment = "field" if len(self.owner) == 2 else MOMENTS[section]
            self.claims.append(Claim(where, self.owner, moment, name, text, place))
