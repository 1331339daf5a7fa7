"""The checklist of a run, filled from its folder and from what people state.

Each item is *evidenced* by the run, *stated* by people, *not done* or *not applicable* with a
reason, or *missing*. What no program can know counts only if people state it.
"""

from collections import Counter
from dataclasses import dataclass

from iesoresearch.reporting import evidence, markup
from iesoresearch.reporting.items import Item
from iesoresearch.reporting.runs import Run
from iesoresearch.reporting.tripod import CONTACT
from iesoresearch.results import CARD, TEXT

#: Parts of the text without which a model card would mislead.
CARD_NEEDS = (
    *("intended_use", "not_for", "data", "predictors", "outcome", "inputs", "modifiable", "limits"),
)
STATES = ("evidenced", "stated", "not done", "not applicable", "missing")
_SIGNS = {
    "evidenced": ("passed", "✓"),
    "stated": ("passed", "✓"),
    "not done": ("inconclusive", "!"),
    "not applicable": ("not-applicable", "–"),
    "missing": ("failed", "✗"),
}


@dataclass(frozen=True)
class Answer:
    """What a run, or people, answer to an item.

    Attributes
    ----------
    state
        One of `STATES`.
    html
        Evidence, or the words of people.
    """

    item: Item
    state: str
    html: tuple[str, ...]


def answer(run: Run, item: Item) -> Answer:
    """The answer to `item`: of people if only they can know, else of the run, else of people."""
    found = [evidence.find(run, reference) for reference in run.evidence.get(item.number, ())]
    shown = tuple(one.html for one in found)
    if found and not item.people:
        states = {one.state for one in found}
        state = next(s for s in ("missing", *STATES) if s in states)
        return Answer(item, state, shown)
    said = run.statements[item.number]
    return Answer(item, said.state, (*shown, markup.escaped(said.text)))


def answers(run: Run) -> list[Answer]:
    """The answers to all items, in order; also to those that the run names and that are none."""
    known, nobody = run.checklist.items, f"no item of {run.checklist.title}"
    given = [answer(run, item) for item in known.values()]
    others = [Item(number, "", nobody) for number in run.evidence if number not in known]
    return [*given, *(Answer(item, "missing", ("the analysis names it",)) for item in others)]


def blanks(run: Run) -> list[str]:
    """What is missing of the checklist and the model card of a run, a line each; plain text."""
    if not run.evidence:
        return []
    given = answers(run)
    if not run.checklist.model_card:
        return _missing(given)
    absent = [name for name in CARD_NEEDS if not run.result["text"].get(name, "").strip()]
    lines = [f"model card ({(TEXT | CARD)[name]}): no text {name!r}" for name in absent]
    return [*_missing([*given, answer(run, CONTACT)]), *lines]


def _missing(given: list[Answer]) -> list[str]:
    return [
        f"item {a.item.number} ({a.item.asks}): {markup.without_tags('; '.join(a.html))}"
        for a in given
        if a.state == "missing"
    ]


def state(name: str) -> str:
    """HTML of the state of an answer: a sign and a word."""
    css, sign = _SIGNS[name]
    word = name.upper() if name == "missing" else name
    return f'<span class="check {css}">{sign}&nbsp;{word.replace(" ", "&nbsp;")}</span>'


def counts(run: Run) -> str:
    """HTML: how many items have which answer."""
    found = Counter(a.state for a in answers(run))
    return " · ".join(f"{found[name]}&nbsp;{state(name)}" for name in STATES if found[name])


def warning(run: Run) -> str:
    """Markdown: what is missing, as loud as it gets; nothing if nothing is."""
    lines = blanks(run)
    if not lines:
        return ""
    rows = "\n".join(f"<li>{markup.escaped(line)}</li>" for line in lines)
    return (
        f'<div class="blanks" role="alert">\n<p><strong>✗ {len(lines)} MISSING.</strong> This '
        f"report of the {run.checklist.subject} is not complete:</p>\n<ul>\n{rows}\n</ul>\n</div>\n"
    )


def title(run: Run) -> str:
    """Title of the page."""
    return f"{run.checklist.title} checklist"


def page(run: Run) -> str:
    """The checklist as a page of Markdown."""
    given = answers(run)
    sections = [
        (name, _table(name, [a for a in given if a.item.section == name]))
        for name in run.checklist.sections
    ]
    head = (
        f"# {title(run)}: {markup.plain(run.name)}\n\n"
        f'<p class="facts">{markup.link("index.html", run.title)}, {markup.escaped(run.data)} · '
        f"{counts(run)}</p>\n\n{warning(run)}\n"
        "*Evidenced*: the run shows it, at the place that is linked. *Stated*: people answer for "
        "it. *Not done* and *not applicable* come with a reason. That something is reported does "
        "not make it good: whether it is, readers judge.\n"
    )
    if run.checklist.domains:
        sections.append(("Risk of bias, by domain", _domains(run)))
    sections.append(("Sources", _sources(run)))
    return f"{head}\n{markup.sections(sections, simulated=run.simulated)}"


def _table(section: str, given: list[Answer]) -> str:
    rows = [
        [a.item.number, markup.escaped(a.item.asks), state(a.state), "<br>".join(a.html)]
        for a in given
        if a.item.section == section
    ]
    headings = ["Item", "What is to be said", "Answer", "Where, or why not"]
    return markup.table(headings, rows, label=section, css="stacked checklist")


def _domains(run: Run) -> str:
    rows = []
    for domain, numbers in run.checklist.domains.items():
        given = [answer(run, run.checklist.items[number]) for number in numbers]
        shown = [a for a in given if a.state == "evidenced"]
        others = [f"{a.item.number} {state(a.state)}" for a in given if a.state != "evidenced"]
        places = dict.fromkeys(html for a in shown for html in a.html)
        rows.append([domain, "<br>".join(places) or markup.NONE, "<br>".join(others)])
    table = markup.table(
        ["Domain of PROBAST+AI", "Evidence", "Items that are not evidenced"],
        rows,
        label="Risk of bias, by domain",
        css="stacked checklist",
    )
    return f"Where somebody who judges the risk of bias finds what they need.\n\n{table}"


def _sources(run: Run) -> str:
    named = [f"{what}, {markup.doi(doi)}" for what, doi in run.checklist.sources.items()]
    return (
        f"{'; '.join(named)}. The short wordings are this package’s own and stand in for no "
        "original.\n"
    )
