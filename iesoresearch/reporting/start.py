"""The start page, in MyST Markdown."""

from collections import Counter
from collections.abc import Collection
from importlib.metadata import version

import yaml

from iesoresearch.params import site_runs, where_records
from iesoresearch.project import Project
from iesoresearch.reporting import facts, markup, pages, rerun
from iesoresearch.reporting.items import Checklist
from iesoresearch.reporting.runs import Missing, Run
from iesoresearch.reporting.statements import CHECKLISTS
from iesoresearch.results import SIMULATED

CODE_LICENCE = "MIT"


def start_page(runs: list[Run], missing: list[Missing], project: Project) -> str:
    """What this is, all runs, what is missing, how to make it again and how to cite it."""
    sections = [
        ("Runs", _table(runs)),
        *((f"{one.subject.capitalize()}s", _checklists(runs, one)) for one in CHECKLISTS.values()),
        ("Not applicable here", _not_applicable(missing)),
        ("Missing", _missing(missing, site_runs(project.params))),
        ("How this report was made", _how(runs)),
        ("Run it again", _rerun(runs)),
        ("Cite and licence", _cite(runs, project)),
    ]
    toctree = "\n".join(f"{run.name} <runs/{run.name}/index>" for run in runs)
    return "\n".join(
        [
            "# Research on talking therapy: report\n",
            "Each run below is a notebook that answers a question about talking therapy, on "
            "published data, on synthetic data with a known truth, or on a site’s own records; "
            "every number on these pages was written by a program and can be made again.\n",
            f"```{{toctree}}\n:hidden:\n:caption: Runs\n\n{toctree}\n```\n",
            *(f"## {heading}\n\n{content}\n" for heading, content in sections if content),
        ]
    )


def citation(project: Project) -> dict:
    """How to cite the package: CITATION.cff of the project, else what is known of the package."""
    known = {
        "title": "iesoresearch: reproducible research on talking therapy",
        "authors": [{"name": "The iesoresearch authors"}],
        "version": version("iesoresearch"),
        "license": CODE_LICENCE,
    }
    try:
        content = yaml.safe_load((project.root / "CITATION.cff").read_text(encoding="utf-8"))
        return known | {name: content[name] for name in known if name in content}
    except (OSError, ValueError, TypeError, yaml.YAMLError):
        return known


def data_licence(run: Run) -> str:
    """Under which terms the data of a run are, as far as a program can know."""
    said = run.provenance.get("licence")
    if said:
        return str(said)
    return {
        "open": "Published by others under their own terms; not part of this report.",
        "synthetic": f"Drawn by this package, under its own licence ({CODE_LICENCE}).",
    }.get(
        run.sensitivity,
        "Records of a site’s patients, under the site’s own terms; not part of this report.",
    )


def _table(runs: list[Run]) -> str:
    headings = ["Run and question", "Data", "People", "Checks", "Made and up to date"]
    rows = [
        [
            markup.link(f"runs/{run.name}/index.html", run.name)
            + f"<br>{markup.escaped(run.title)}",
            markup.escaped(run.data) + _simulated(run),
            facts.people(run),
            _counts(run),
            f"{markup.escaped(facts.made(run))}<br>{facts.up_to_date(run)}",
        ]
        for run in runs
    ]
    return markup.table(headings, rows, label="Runs", numeric=[2], css="stacked runs")


def _checklists(runs: list[Run], checklist: Checklist) -> str:
    """What the checklists of one kind say, what is missing above all."""
    return "\n".join(
        f"### {markup.plain(run.name)}\n\n{pages.further_pages(run, f'runs/{run.name}/')}"
        for run in runs
        if run.evidence and run.checklist is checklist
    )


def _simulated(run: Run) -> str:
    return f'<span class="simulated">{markup.escaped(SIMULATED)}</span>' if run.simulated else ""


def _counts(run: Run) -> str:
    found = Counter(check["status"] for check in run.checks)
    return "<br>".join(
        f'<span class="check {status if found[status] else "none"}">'
        f"{markup.MARKS[status]}&nbsp;{found[status]}&nbsp;{status}</span>"
        for status in ("passed", "failed", "inconclusive")
    )


def _not_applicable(missing: list[Missing]) -> str:
    lines = [
        f"- {markup.plain(run.name)}: {markup.plain(run.reason)}"
        for run in missing
        if not run.applicable
    ]
    return _listed("The data here cannot answer these runs; nothing went wrong.", lines)


def _missing(missing: list[Missing], of_site: Collection[str]) -> str:
    lines = []
    for run in missing:
        where = where_records("folder") if run.name in of_site else ""
        again = f" Make it: `iesoresearch run {run.name}{where}`" if run.known else ""
        if run.applicable:
            lines.append(f"- {markup.plain(run.name)}: {run.reason}.{again}")
    return _listed("These runs have no valid result and are not shown.", lines)


def _listed(sentence: str, lines: list[str]) -> str:
    return f"{sentence}\n\n" + "\n".join(lines) + "\n" if lines else ""


def _how(runs: list[Run]) -> str:
    rules = "; or ".join(dict.fromkeys(facts.disclosure(run) for run in runs))
    return (
        "Each notebook was executed from its first cell to its last, by a program, with the "
        "parameters that its page lists. Every table, number, sentence and figure passed "
        f"disclosure control ({rules}); open data pass unchanged, synthetic data are "
        "treated like patients’ data. A run counts only if every file of it is as it was "
        "written. *Up to date* means that code, notebook, parameters, disclosure policy and locked "
        "versions are still those of the project, else it says what has changed; whether the data "
        f"have is seen when `iesoresearch run` looks at them.\n\n{_anew(runs)}Everything here is "
        "also described for programs, as an RO-Crate: "
        f"{markup.link('ro-crate-metadata.json', 'RO-Crate metadata')}.\n"
    )


def _anew(runs: list[Run]) -> str:
    """How the paper is made from nothing; a site's records are nowhere but there."""
    if any(rerun.reads_records(run) for run in runs):
        return ""
    return (
        "`make paper` makes all of it again from a bare clone, and `iesoresearch verify` names "
        "every number that moved beyond its tolerance. "
    )


def _rerun(runs: list[Run]) -> str:
    commands = "\n".join(rerun.command_with_change(run) for run in runs)
    of_site = any(rerun.reads_records(run) for run in runs)
    where = where_records("folder") if of_site else ""
    places = " (SITE is the name of the site, DIR the folder of its tables)" * of_site
    return (
        f"From a clone of the project, `iesoresearch run --all{where}` makes whatever is not up to "
        f"date{places}. With another value of a parameter:\n\n"
        f"```text\n{commands}\n```\n\n"
        "Each page lists all parameters of its run and what they mean. A changed run replaces the "
        "one shown here, unless `--out` names another folder.\n"
    )


def _cite(runs: list[Run], project: Project) -> str:
    cited = citation(project)
    names = ", ".join(_author(author) for author in cited["authors"])
    data = {run.data: data_licence(run) for run in runs}
    lines = "\n".join(f"- {markup.plain(name)}: {markup.plain(t)}" for name, t in data.items())
    return (
        f"{markup.plain(names)}. *{markup.plain(cited['title'])}.* "
        f"Version {markup.plain(cited['version'])}.\n\n"
        f"Code, text and figures: {markup.plain(cited['license'])} licence. Data:\n\n{lines}\n"
    )


def _author(author: dict) -> str:
    if "name" in author:
        return str(author["name"])
    return f"{author.get('given-names', '')} {author.get('family-names', '')}".strip()
