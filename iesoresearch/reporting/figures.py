"""The figures of a run as HTML, with their files and the table they were drawn from."""

import re
from typing import Any

from iesoresearch.reporting import markup, tables
from iesoresearch.reporting.runs import Run


def anchor(name: str) -> str:
    """Where on the page of its run a figure is."""
    return f"figure-{name}"


def image(run: Run, name: str) -> str | None:
    """The file that a page shows, if there is one."""
    return next((file for file in _files(run, name) if file.endswith((".svg", ".png"))), None)


def render(run: Run, name: str, page: str = "") -> str:
    """Heading, picture, caption and files; `page` of the run has the table, if another one."""
    described = run.result["figures"][name]
    links = [markup.link(f, f.rpartition(".")[2].upper()) for f in _files(run, name)]
    if described["table"] in run.result["tables"]:
        title = run.result["tables"][described["table"]]["title"]
        target = f"{page}#{tables.anchor(described['table'])}"
        links.append(f"table “{markup.link(target, title)}”")
    return (
        f"{markup.anchor(anchor(name))}### {markup.plain(described['title'])}\n\n"
        f"<figure>\n{_image(image(run, name), described)}\n"
        f"<figcaption>\n\n{described['caption']}\n\n</figcaption>\n</figure>\n\n"
        f'<p class="files">{" · ".join(links)}</p>\n'
    )


def _files(run: Run, name: str) -> list[str]:
    files = [f"figures/{name}.{kind}" for kind in ("svg", "png", "pdf", "csv")]
    return [file for file in files if file in run.public_files]


def _image(file: str | None, described: dict[str, Any]) -> str:
    if file is None:
        return "<p>There is no picture of it.</p>"
    alt = markup.escaped(f"{described['title']} {_without_markup(described['caption'])}")
    # dark-light: the theme does not shift the colours at night
    return f'<a href="{file}"><img class="dark-light" src="{file}" alt="{alt}"></a>'


def _without_markup(text: str) -> str:
    return re.sub(r"[*_`$]", "", text)
