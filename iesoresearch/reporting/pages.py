"""The page of a run, in MyST Markdown."""

import re
from datetime import datetime

from iesoresearch.reporting import markup, rerun, tables
from iesoresearch.reporting.runs import NOTEBOOK, Run

#: The executed notebook as Sphinx renders it; `NOTEBOOK` beside it is the file itself.
EXECUTED = "executed"

SENSITIVITIES = {
    "open": "open: published data, shown unchanged",
    "synthetic": "synthetic: drawn by a program, treated like patients’ data",
    "patient": "patients’ records of a site: only aggregates that passed disclosure control",
}


def run_page(run: Run) -> str:
    """Everything that may be seen of a run, the plain-language summary first."""
    text = run.result["text"]
    sections = [
        ("In plain words", text.get("plain", "")),
        ("Findings and checks", _checks(run)),
        ("Figures", _figures(run)),
        ("Tables", tables.render_all(run)),
        ("How to read it", text.get("reading", "")),
        ("What it cannot say", text.get("limits", "")),
        ("Parameters", _parameters(run)),
        ("Run it again", rerun.on_page(run)),
        ("Where it comes from", _origin(run)),
    ]
    mark = markup.banner() + "\n" if run.simulated else ""
    body = [f"## {heading}\n\n{mark}{content}\n" for heading, content in sections if content]
    return f"{_head(run)}\n{_contents(run)}\n" + "\n".join(body)


def made(run: Run) -> str:
    """When a run was started."""
    when = datetime.fromisoformat(run.status["started"])
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def people(run: Run) -> str:
    """How many people stand behind a run."""
    return markup.NONE if run.n is None else f"{run.n:,}"


def up_to_date(run: Run) -> str:
    """HTML: whether the project is still the one the run was made with."""
    if not run.changed:
        return '<span class="check passed">✓&nbsp;up&nbsp;to&nbsp;date</span>'
    what = markup.escaped(", ".join(run.changed))
    return (
        '<span class="check inconclusive">✗&nbsp;not&nbsp;up&nbsp;to&nbsp;date</span> '
        f"(changed: {what})"
    )


def disclosure(run: Run) -> str:
    """The rules of disclosure control that the run was released under, as HTML."""
    rules = run.provenance["disclosure"]
    words = {
        "min_count": "fewer than {} people are not shown",
        "round_to": "counts are rounded to multiples of {}",
    }
    return markup.escaped(
        ", ".join(words[k].format(v) if k in words else f"{k} {v}" for k, v in rules.items())
    )


def _head(run: Run) -> str:
    heading = f"# {markup.plain(run.title)}: {markup.plain(run.data)}\n"
    facts = [
        f"Run {markup.code(run.name)}",
        f"{people(run)} people",
        f"made {markup.escaped(made(run))}",
        up_to_date(run),
    ]
    return f'{heading}\n<p class="facts">{" · ".join(facts)}</p>\n'


def _contents(run: Run) -> str:
    """The notebook as a page below this one."""
    if not run.shows_notebook:
        return ""
    return f"```{{toctree}}\n:hidden:\n\nExecuted notebook <{EXECUTED}>\n```\n"


def _checks(run: Run) -> str:
    rows = [
        [markup.mark(c["status"]), markup.escaped(c["name"]), markup.escaped(c["sentence"])]
        for c in run.checks
    ]
    checks = markup.table(
        ["Outcome", "Check", "Finding"], rows, label="Findings and checks", css="stacked checks"
    )
    numbers = [
        [markup.code(name), markup.escaped(_number(x["text"])), _people_behind(x["n"])]
        for name, x in run.numbers.items()
    ]
    listed = markup.table(
        ["Number", "Value", "People"], numbers, label="All numbers", numeric=[1, 2]
    )
    return (
        f"{checks if rows else ''}\n<details><summary>Show all {len(numbers)} numbers</summary>\n"
        f"{listed}</details>\n\n"
        f'<p class="files">Digits in full: {markup.link("numbers.json", "numbers.json")} · '
        f"{markup.link('checks.json', 'checks.json')}</p>\n"
    )


def _number(text: str) -> str:
    return f"{markup.NONE} {text}" if text == "(suppressed)" else text


def _people_behind(n: int | None) -> str:
    return markup.NONE if n is None else f"{n:,}"


def _figures(run: Run) -> str:
    drawn = [_figure(run, name) for name in run.result["figures"]]
    others = [f"*{reason}*\n" for reason in run.result["not_applicable"].values()]
    return "\n".join([*drawn, *others])


def _figure(run: Run, name: str) -> str:
    described = run.result["figures"][name]
    files = [f"figures/{name}.{kind}" for kind in ("svg", "png", "pdf", "csv")]
    files = [file for file in files if file in run.public_files]
    links = [markup.link(file, file.rpartition(".")[2].upper()) for file in files]
    if described["table"] in run.result["tables"]:
        title = run.result["tables"][described["table"]]["title"]
        links.append(f"table “{markup.link('#' + tables.anchor(described['table']), title)}”")
    return (
        f"### {markup.plain(described['title'])}\n\n<figure>\n{_image(files, described)}\n"
        f"<figcaption>\n\n{described['caption']}\n\n</figcaption>\n</figure>\n\n"
        f'<p class="files">{" · ".join(links)}</p>\n'
    )


def _image(files: list[str], described: dict[str, str]) -> str:
    image = next((file for file in files if file.endswith((".svg", ".png"))), None)
    if image is None:
        return "<p>There is no picture of it.</p>"
    alt = markup.escaped(f"{described['title']} {_without_markup(described['caption'])}")
    # dark-light: the theme does not shift the colours at night
    return f'<a href="{image}"><img class="dark-light" src="{image}" alt="{alt}"></a>'


def _without_markup(text: str) -> str:
    return re.sub(r"[*_`$]", "", text)


def _parameters(run: Run) -> str:
    meanings = rerun.meanings(run)
    rows = [
        [markup.code(name), markup.code(value), markup.escaped(meanings.get(name, markup.NONE))]
        for name, value in rerun.in_order(run).items()
    ]
    return markup.table(["Name", "Value", "Meaning"], rows, label="Parameters", css="stacked")


def _origin(run: Run) -> str:
    inputs = run.status["inputs"]
    rows = [
        ("Data", f"{markup.escaped(run.data)}, {_fingerprint(run)}"),
        ("Sensitivity", markup.escaped(SENSITIVITIES.get(run.sensitivity, run.sensitivity))),
        (
            "Disclosure control",
            f"{markup.escaped(disclosure(run))}, {_hash(inputs.get('disclosure'))}",
        ),
        ("Code", f"iesoresearch {_version(run, 'iesoresearch')}, {_hash(inputs.get('code'))}"),
        ("Notebook", _notebook(run)),
        ("Parameters", _hash(inputs.get("parameters"))),
        ("Locked versions", _hash(inputs.get("lock"))),
        ("Versions", ", ".join(f"{k} {_version(run, k)}" for k in sorted(run.status["versions"]))),
        ("Made", f"{markup.escaped(made(run))}, in {run.status['seconds']:,.0f} s"),
        ("Key of all of it", _hash(run.status["key"])),
    ]
    return markup.table(["What", "Which"], rows, label="Where it comes from", css="stacked")


def _notebook(run: Run) -> str:
    source = markup.link(run.source_notebook, f"{run.source_notebook} without outputs")
    text = f"{source}, {_hash(run.status['inputs'].get('notebook'))}"
    if run.shows_notebook:
        page = markup.link(f"{EXECUTED}.html", "executed notebook")
        return f"{text}; {page} ({markup.link(NOTEBOOK, 'download')})"
    if run.machine_paths:
        return f"{text}; the executed notebook is left out, because it names folders of a machine"
    return f"{text}; the executed notebook stays where the patients’ data are"


def _fingerprint(run: Run) -> str:
    found = run.provenance.get("data_fingerprint")
    return f"fingerprint {markup.code(found)}" if found else "no fingerprint"


def _hash(digest: str | None) -> str:
    return f"hash {markup.code(digest)}" if digest else "no hash"


def _version(run: Run, package: str) -> str:
    return markup.escaped(run.status["versions"].get(package, "of unknown version"))
