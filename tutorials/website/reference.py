"""The API reference: which names are public, where each is documented, and what a page says.

A name is public if it stands in the ``__all__`` of a public module. One that several modules export
is documented once, in the shallowest of them: the one that users import it from. The others lead
there. A package has a page, on which the modules in it are sections.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import find_pending_xref_condition

import minirobert

#: The longest value of a constant that is shown.
_LONGEST = 120


class Name(NamedTuple):
    """A name, and the module that it stands in."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@cache
def modules() -> tuple[str, ...]:
    """List the public modules."""
    found = pkgutil.walk_packages(minirobert.__path__, "minirobert.")
    names = ["minirobert", *(one.name for one in found)]
    public = [name for name in names if not any(p.startswith("_") for p in name.split("."))]
    for name in public:
        importlib.import_module(name)
    return tuple(sorted(public))


def exported(module: str) -> list[str]:
    """List what a module exports."""
    return list(getattr(sys.modules[module], "__all__", ()))


def value_of(name: Name) -> Any:
    """Give what a name stands for."""
    return getattr(sys.modules[name.module], name.name)


@cache
def imported(module: str) -> dict[str, Name]:
    """Tell where a module imports its names from."""
    found = {}
    for node in ast.parse(inspect.getsource(sys.modules[module]) or "").body:
        if isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            here = module if _is_package(module) else module.rpartition(".")[0]
            source = importlib.util.resolve_name(package, here)
            for alias in node.names:
                found[alias.asname or alias.name] = Name(source, alias.name)
    return found


def _is_package(module: str) -> bool:
    return hasattr(sys.modules[module], "__path__")


@cache
def origin(name: Name) -> Name:
    """Find where a name is defined."""
    if name.module not in modules():
        return name
    source = imported(name.module).get(name.name)
    if source not in (None, name):  # a package imports its own modules from itself
        return origin(source)
    value = vars(sys.modules[name.module]).get(name.name)
    defined = getattr(value, "__module__", name.module)
    is_same = defined in modules() and getattr(value, "__name__", None) == name.name
    return Name(defined, name.name) if is_same else name


@cache
def homes() -> dict[Name, Name]:
    """Tell where each public name is documented, by where it is defined."""
    found: dict[Name, list[Name]] = {}
    for module in modules():
        for exported_name in exported(module):
            name = Name(module, exported_name)
            found.setdefault(origin(name)._replace(name=exported_name), []).append(name)
    depth = {source: [(n.module.count("."), n.module != source.module, n) for n in names]
             for source, names in found.items()}  # fmt: skip
    return {source: min(names)[-1] for source, names in depth.items()}


def home(name: Name) -> Name | None:
    """Tell where a name is documented, if it is public."""
    source = origin(name)
    return homes().get(source._replace(name=name.name)) or homes().get(source)


# What a name in a docstring means


def meaning(text: str, module: str, within: str = "") -> str | None:
    """Find what a name stands for in the docstring of something.

    Parameters
    ----------
    text : str
        ``linear``, ``RobertaModel.generate``, ``minirobert.numerics.traces`` …
    module, within : str
        The module that the docstring is in, and the function, class or method.

    Returns
    -------
    str or None
        The full name under which it is documented. None for a parameter, and for what is no name.
    """
    text = text.removesuffix("()")
    if not all(part.isidentifier() for part in text.split(".")) or module not in modules():
        return None
    owner = home(Name(module, within.partition(".")[0])) if within else None
    if owner is not None:
        if text in _parameters(owner, within):
            return None
        member = _member(owner, text)
        if member:
            return member
        module = origin(owner).module
    return _in_scope(text, module)


def _in_scope(text: str, module: str) -> str | None:
    """Look for a name in a module, in the packages around it, and from the top."""
    for scope in [module, *_parents(module), ""]:
        parts = [part for part in (*scope.split("."), *text.split(".")) if part]
        for count in range(len(parts), scope.count("."), -1):
            inner, members = ".".join(parts[:count]), parts[count:]
            if inner not in modules():
                continue
            if not members and inner not in shadowed():
                return inner
            found = home(Name(inner, members[0])) if members else None
            if found is not None:
                return ".".join([str(found), *members[1:]])
    return None


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def _parameters(owner: Name, within: str) -> set[str]:
    value = value_of(owner)
    for part in within.split(".")[1:]:
        value = getattr(value, part, None)
    try:
        return set(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return set()


def _member(owner: Name, text: str) -> str | None:
    """Find a member of a class, in the class that defines it, or shows it in that one's place."""
    value, found = value_of(owner), None
    for cls in value.__mro__ if inspect.isclass(value) else ():
        found = home(Name(cls.__module__, cls.__name__)) or found
        if text.partition(".")[0] in vars(cls):
            return f"{found}.{text}" if found else None
    return None


def name_role(role, rawtext, text, lineno, inliner, options=None, content=None):
    """Render a name in backticks: as code, and as a link where it is a name of the package."""
    env = inliner.document.settings.env
    literal = nodes.literal(rawtext, text, classes=["xref", "py"])
    module = env.ref_context.get("py:module") or env.temp_data.get("reference:module") or ""
    target = meaning(text, module, env.temp_data.get("object", ""))
    if target is None:
        return [nodes.literal(rawtext, text)], []
    found = addnodes.pending_xref(
        rawtext, literal, refdomain="py", reftype="obj", reftarget=target, refdoc=env.docname
    )
    return [found], []


def find_names(app: Sphinx, document: nodes.document) -> None:
    """Lead each name in a signature, or type in a docstring, to where it is documented."""
    for link in list(document.findall(addnodes.pending_xref)):
        is_found = link.get("reftype") == "obj" and "refspecific" not in link
        if link.get("refdomain") != "py" or is_found:
            continue
        text = link["reftarget"]
        target = meaning(text, link.get("py:module") or "minirobert") or _only(text)
        if target is None:
            link.replace_self((find_pending_xref_condition(link, "*") or link).children)
            continue
        for key in ("py:module", "py:class", "refspecific"):
            link.attributes.pop(key, None)
        link.update_basic_atts({})
        link["reftype"], link["reftarget"] = "obj", target


@cache
def _by_last_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in set(homes().values()):
        if inspect.isclass(value_of(name)):
            found.setdefault(name.name, []).append(str(name))
    return found


def _only(text: str) -> str | None:
    """Find the only class of a name."""
    found = _by_last_name().get(text, [])
    return found[0] if len(found) == 1 else None


# The pages


@cache
def shadowed() -> frozenset[str]:
    """List the modules that a function in their package has the name of."""
    return frozenset({str(name) for name in homes().values()} & set(modules()))


def rooms() -> list[str]:
    """List the packages, and the modules that are in no other package."""
    return [name for name in modules() if _is_package(name) or name.count(".") == 1]


def page_of(module: str) -> str:
    """Name the page that a module is on."""
    return f"api/{module if module in rooms() else module.rpartition('.')[0]}"


def pages() -> Iterator[tuple[str, str]]:
    """Give the name and the text of each page."""
    for room in rooms():
        inside = [one for one in modules() if one.rpartition(".")[0] == room]
        sections = [one for one in inside if one not in rooms()]
        children = [one for one in inside if one in rooms()]
        parts = [*_section(room, "=")]
        if children:
            parts.insert(2, _contents(children))  # behind the heading and the docstring
        for module in sections:
            parts += _section(module, "-")
        yield page_of(room), "\n".join(parts)


def _contents(children: list[str]) -> str:
    names = "\n".join(f"   {one}" for one in children)
    table = "\n".join(f"   * - :doc:`{one}`\n     - {purpose(one)}" for one in children)
    return f".. list-table::\n   :widths: auto\n\n{table}\n\n.. toctree::\n   :hidden:\n\n{names}\n"


def purpose(module: str) -> str:
    """Give the first sentence of a module's docstring."""
    return " ".join((sys.modules[module].__doc__ or "").strip().partition("\n\n")[0].split())


def _section(module: str, underline: str) -> Iterator[str]:
    yield f"{module}\n{underline * len(module)}\n"
    no_index = "   :no-index:\n" if module in shadowed() else ""
    yield f".. automodule:: {module}\n{no_index}"
    yield f".. py:currentmodule:: {module}\n"
    elsewhere = []
    for name in (Name(module, one) for one in exported(module)):
        where = home(name)
        if where == name:
            yield _entry(name)
        elif where is not None:
            elsewhere.append(f":py:obj:`{name.name} <{where}>`")
    if elsewhere:
        yield f"Documented where it is imported from: {', '.join(elsewhere)}.\n"


def _entry(name: Name) -> str:
    value = value_of(name)
    if inspect.ismodule(value):
        return f"`{name}` is a module.\n"
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return f".. auto{kind}:: {name}\n{_members(value)}"
    if inspect.isroutine(value) or hasattr(value, "__wrapped__"):
        return f".. autofunction:: {name}\n"
    return _constant(name, value)


def _members(cls: type) -> str:
    """Choose the members of a class to show: with those that no other page shows."""
    options = ["members:", "special-members: __call__"]
    above = cls.__mro__[1:]
    documented = {one for one in above if home(Name(one.__module__, one.__name__))}
    if any(one.__module__ in modules() and one not in documented for one in above):
        others = [one for one in above if one in documented or one.__module__ not in modules()]
        options.append(f"inherited-members: {', '.join(one.__name__ for one in others)}")
    if documented.intersection(cls.__bases__):
        options.append("show-inheritance:")
    return "".join(f"   :{option}\n" for option in options)


def _constant(name: Name, value: Any) -> str:
    """Describe a constant by the comment above it, which autodoc finds in its own module only."""
    source = origin(name)
    comments = ModuleAnalyzer.for_module(source.module)
    comments.analyze()
    comment = comments.attr_docs.get(("", source.name), [])
    shown = repr(sorted(value, key=repr) if isinstance(value, frozenset) else value)
    lines = [f".. py:data:: {name.name}"]
    if len(shown) <= _LONGEST and re.fullmatch(r"(?!.*( at 0x|Path\()).*", shown):
        lines.append(f"   :value: {shown}")
    return "\n".join([*lines, "", *(f"   {line}" for line in comment), ""])


_HEADING = re.compile("-{3,}")


def follow_style(app: Sphinx, what, name, value, options, lines):
    """Put what the docstrings write shorter as the reader of NumPy's style wants it.

    The examples at the end get a heading, and attributes that share a description a line each.
    """
    starts = [number for number, line in enumerate(lines) if line.startswith(">>>")]
    headings = [number for number, line in enumerate(lines) if _HEADING.fullmatch(line)]
    has_own = any(line.strip() == "Examples" for line in lines)
    if starts and headings and headings[0] < starts[0] and not has_own:
        lines[starts[0] : starts[0]] = ["Examples", "--------"]
    if "Attributes" in lines:
        for number in reversed(range(lines.index("Attributes"), len(lines))):
            names, found, kind = lines[number].partition(" : ")
            if found and re.fullmatch(r"\w+(, \w+)+", names):
                lines[number : number + 1] = [f"{one} : {kind}" for one in names.split(", ")]


def leave_out(app: Sphinx, what, name, value, skip, options):
    """Leave out the fields of named tuples, of which Python says only which number they have."""
    if (inspect.getdoc(value) or "").startswith("Alias for field number"):
        return True
    return None


def write(directory: Path) -> None:
    """Write the pages into a directory of Sphinx's sources."""
    for name, text in pages():
        path = directory / f"{name}.rst"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of this extension."""
    app.add_role("name", name_role)
    app.connect("doctree-read", find_names)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", follow_style, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
