"""The page of a run, in MyST Markdown."""

from collections.abc import Callable

from iesoresearch.reporting import checklist, facts, figures, markup, model_card, rerun, tables
from iesoresearch.reporting.runs import EXECUTED, NOTEBOOK, Run
from iesoresearch.results import TEXT

SENSITIVITIES = {
    "open": "open: published data, shown unchanged",
    "synthetic": "synthetic: drawn by a program, treated like patients’ data",
    "patient": "patients’ records of a site: only aggregates that passed disclosure control",
}


def run_page(run: Run) -> str:
    """Everything that may be seen of a run, the plain-language summary first."""
    sections = [
        _text(run, "plain"),
        (" and ".join(name for name, _ in further(run).values()), further_pages(run)),
        ("Findings and checks", _checks(run)),
        ("Figures", _figures(run)),
        ("Tables", tables.render_all(run)),
        _text(run, "reading"),
        _text(run, "limits"),
        ("Parameters", _parameters(run)),
        ("Run it again", rerun.on_page(run)),
        ("Where it comes from", _origin(run)),
    ]
    body = markup.sections(sections, simulated=run.simulated)
    return f"{_head(run)}\n{_contents(run)}\n{body}"


def further(run: Run) -> dict[str, tuple[str, Callable[[Run], str]]]:
    """Further pages of a run with evidence, by their names, each with its title."""
    if not run.evidence:
        return {}
    card = {model_card.PAGE: ("Model card", model_card.page)} if run.checklist.model_card else {}
    return card | {run.checklist.page: (checklist.title(run), checklist.page)}


def further_pages(run: Run, home: str = "") -> str:
    """HTML: links to the further pages of a run, and what is missing of them."""
    links = [markup.link(f"{home}{page}.html", title) for page, (title, _) in further(run).items()]
    if not links:
        return ""
    return f"<p>{' · '.join(links)}: {checklist.counts(run)}</p>\n\n{checklist.warning(run)}"


def _text(run: Run, name: str) -> tuple[str, str]:
    """Heading and words of a part of the text."""
    text = run.result["text"].get(name, "")
    return TEXT[name], f"{markup.anchor(markup.text_anchor(name))}{text}" if text else ""


def _head(run: Run) -> str:
    heading = f"# {markup.plain(run.title)}: {markup.plain(run.data)}\n"
    said = [
        f"Run {markup.code(run.name)}",
        *([] if run.n is None else [f"{facts.people(run)} people"]),
        f"made {markup.escaped(facts.made(run))}",
        facts.up_to_date(run),
        *([facts.planned(run)] if run.plan else []),
    ]
    return f'{heading}\n<p class="facts">{" · ".join(said)}</p>\n'


def _contents(run: Run) -> str:
    """The pages below this one."""
    below = [f"{title} <{page}>" for page, (title, _) in further(run).items()]
    if run.shows_notebook:
        below.append(f"Executed notebook <{EXECUTED}>")
    lines = "\n".join(below)
    return f"```{{toctree}}\n:hidden:\n\n{lines}\n```\n" if below else ""


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
    opened = f"<details><summary>Show all {len(numbers)} numbers</summary>\n{listed}</details>\n"
    return (
        f"{checks if rows else ''}\n{opened if numbers else ''}\n"
        f'<p class="files">Digits in full: {markup.link("numbers.json", "numbers.json")} · '
        f"{markup.link('checks.json', 'checks.json')}</p>\n"
    )


def _number(text: str) -> str:
    return f"{markup.NONE} {text}" if text == "(suppressed)" else text


def _people_behind(n: int | None) -> str:
    return markup.NONE if n is None else f"{n:,}"


def _figures(run: Run) -> str:
    drawn = [figures.render(run, name) for name in run.result["figures"]]
    reasons = dict.fromkeys(run.result["not_applicable"].values())  # several may share one
    others = [f"*{reason}*\n" for reason in reasons]
    return "\n".join([*drawn, *others])


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
            f"{markup.escaped(facts.disclosure(run))}, {_hash(inputs.get('disclosure'))}",
        ),
        ("Code", f"iesoresearch {_version(run, 'iesoresearch')}, {_hash(inputs.get('code'))}"),
        ("Notebook", _notebook(run)),
        ("Parameters", _hash(inputs.get("parameters"))),
        ("Locked versions", _hash(inputs.get("lock"))),
        ("Versions", ", ".join(f"{k} {_version(run, k)}" for k in sorted(run.status["versions"]))),
        ("Made", f"{markup.escaped(facts.made(run))}, in {run.status['seconds']:,.0f} s"),
        ("Key of all of it", _hash(run.status["key"])),
        *(
            [("Pre-registration", f"{facts.planned(run)}; {_hash(run.plan.hash)}")]
            if run.plan
            else []
        ),
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
