"""Settings of Sphinx for the site: see build.py."""

from importlib.util import find_spec
from pathlib import Path

import minirobert
from tutorials.website.sources import line_of

_FONTS = Path(find_spec("ziamath").origin).parent / "fonts"

project = "minirobert"
version = release = minirobert.__version__
root_doc = "index"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.napoleon",
    "tutorials.website.formulas",
    "tutorials.website.navigation",
    "tutorials.website.reference",
    "tutorials.website.sources",
]

# Markdown and lessons
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 6
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # they would come from the network

# The API reference
add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # a value may be a path of this machine
default_role = "name"
linkcode_resolve = line_of
maximum_signature_line_length = 160  # with the full names of types, which are not shown
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# The site
html_theme = "furo"
html_domain_indices = False  # the navigation lists the modules
html_use_index = False
html_css_files = ["formulas.css"]
html_static_path = ["static", str(_FONTS / "STIXTwoMath-Regular.ttf")]
html_title = f"{project} {release}"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
