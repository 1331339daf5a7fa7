"""Settings of Sphinx for the report. Nothing is executed, nothing is fetched."""

import sys

# jsonschema, which reads notebooks, would build 39 parsers for a check of addresses that notebooks
# never need: half of the time of a whole report. Absent, it does without.
sys.modules["rfc3987_syntax"] = None

project = "iesoresearch"
language = "en"
extensions = ["myst_nb"]
if tags.has("maths"):  # noqa: F821 (Sphinx provides `tags`)
    extensions.append("sphinx-mathjax-offline")  # 24 MB, so only where it is needed

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # by default from another host
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath"]
# A notebook may start a section at any level.
suppress_warnings = ["myst.header"]

html_theme = "sphinx_book_theme"
html_title = "iesoresearch report"
html_static_path = ["static"]
html_css_files = ["report.css"]
html_context = {"default_mode": "auto"}
html_show_search_summary = False  # would read other pages, which a browser forbids for files
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search is in the sidebar
    "show_navbar_depth": 2,
    "show_toc_level": 2,
    "toc_title": "On this page",
    "use_download_button": False,
    "use_fullscreen_button": False,
    "footer_content_items": [],
}
