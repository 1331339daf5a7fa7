"""The model card of a run: what a prediction model is for, what it does, and when not to use it.

The idea is that of Mitchell et al. 2019 (doi:10.1145/3287560.3287596); the sections are our own.
Words come from the text of the result, tables and figures are those that the checklist names.
"""

from iesoresearch.reporting import checklist, evidence, facts, figures, markup, tables
from iesoresearch.reporting.runs import Run
from iesoresearch.reporting.tripod import CHECKLIST, CONTACT
from iesoresearch.results import CARD, TEXT

PAGE = evidence.PAGE_OF_CARD
_PERFORMANCE = {"performance": "How well it predicts", "services": "From service to service"}
_HEADINGS = {**TEXT, **CARD, **_PERFORMANCE}
#: In order: a part of the text, and the items whose tables and figures are shown with it.
_SECTIONS = (
    ("intended_use", ()),
    ("not_for", ()),
    ("users", ()),
    ("limits", ()),
    ("data", ("20a", "20b")),
    ("outcome", ("8a",)),
    ("predictors", ("9b",)),
    ("methods", ("10",)),
    ("performance", ("23a",)),
    ("services", ("23b",)),
    ("fairness", ("14",)),
    ("inputs", ("27a",)),
    ("modifiable", ()),
    ("next_steps", ()),
)
_STATED = ("17", "18a", "18b", "18c", "18d", "18e", "18f", "19")


def page(run: Run) -> str:
    """The model card as a page of Markdown."""
    said = [
        f"{markup.link('index.html', run.title)}, {markup.escaped(run.data)}",
        f"{facts.people(run)} people",
        f"made {markup.escaped(facts.made(run))}",
        facts.up_to_date(run),
        markup.link(f"{run.checklist.page}.html", checklist.title(run)),
    ]
    head = (
        f"# Model card: {markup.plain(run.name)}\n\n"
        f'<p class="facts">{" · ".join(said)}</p>\n\n{checklist.warning(run)}'
    )
    used: set[str] = set()
    sections = [(_HEADINGS[name], _section(run, name, items, used)) for name, items in _SECTIONS]
    sections.append(("Statements, and whom to ask", _statements(run)))
    return f"{head}\n{markup.sections(sections, simulated=run.simulated)}"


def _section(run: Run, name: str, items: tuple[str, ...], used: set[str]) -> str:
    """Words, then figures and tables that no section before it has shown, or else links."""
    text = run.result["text"].get(name, "").strip()
    if not text and name in checklist.CARD_NEEDS:
        text = checklist.state("missing")
    parts = [f"{markup.anchor(markup.text_anchor(name))}{text}\n"] if text else []
    named = dict.fromkeys(ref for item in items for ref in run.evidence.get(item, ()))
    new = [ref.split(":", 1) for ref in named if ":" in ref and ref not in used]
    used.update(named)
    drawn = [place for kind, place in new if kind == "figure" and place in run.result["figures"]]
    told = [place for kind, place in new if kind == "table" and place in run.result["tables"]]
    parts += [figures.render(run, place, page="index.html") for place in drawn]
    parts += [tables.render(run, place) for place in told]
    if not parts and named:
        parts = [f"<p>{'<br>'.join(evidence.find(run, ref).html for ref in named)}</p>\n"]
    return "\n".join(parts)


def _statements(run: Run) -> str:
    items = [*map(CHECKLIST.items.get, _STATED), CONTACT]
    given = [checklist.answer(run, item) for item in items]
    rows = [
        [markup.escaped(a.item.asks), checklist.state(a.state), "<br>".join(a.html)] for a in given
    ]
    label = "Statements, and whom to ask"
    return markup.table(["About", "Answer", "In words"], rows, label=label, css="stacked checklist")
