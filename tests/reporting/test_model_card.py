"""The model card holds the words of the analysis, and the tables that the checklist names."""

import re

from iesoresearch.reporting import model_card, runs
from iesoresearch.results import CARD

from . import sample
from .test_report import page, words


def read(project):
    return runs.read(project.out, project)[0][0]


def test_sections_are_in_order_what_it_is_not_for_early(built):
    headings = re.findall(r"<h2>(.*?)<a", page(built, "runs/model/model_card.html"))
    assert headings == [
        "What it is for",
        "What it is not for",
        "Who may use it",
        "What it cannot say",
        "Data",
        "What it predicts",
        "What it looks at, and what it does not",
        "How it was made and questioned",
        "How well it predicts",
        "From service to service",
        "Groups of patients",
        "When it refuses to predict",
        "What can be changed and what cannot",
        "What has to come before anybody uses it",
        "Statements, and whom to ask",
    ]
    assert headings[:2] == [CARD["intended_use"], CARD["not_for"]]


def test_words_tables_figures_and_statements_are_there(built):
    html = page(built, "runs/model/model_card.html")
    assert all(f"Words on <em>{name}</em>." in html for name in CARD)
    assert 'src="figures/dots.svg"' in html
    text = words(html).replace("&nbsp;", " ").replace("\xa0", " ")
    assert "Whom to ask ✓ stated Words on contact." in text
    assert "Conflicts of interest ! not done Nobody &lt;asked&gt; &amp; nobody said." in text


def test_a_table_is_shown_once(project):
    sample.make_model(project, "shown", "open")
    text = model_card.page(read(project))
    assert text.count('<div id="table-short"></div>') == 1
    assert text.count('<div id="table-long"></div>') == 1
    performance = text.partition("## How well it predicts")[2].partition("\n## ")[0]
    assert '<div id="figure-dots"></div>' in performance
    assert performance.index("figure-dots") < performance.index('id="table-short"')
    assert 'href="index.html#table-short"' in performance


def test_what_a_section_before_has_shown_is_linked(project):
    sample.make_model(project, "shown", "open")
    text = model_card.page(read(project)).partition("## From service to service")[2]
    section = text.partition("\n## ")[0]
    assert '<a href="index.html#table-short">A short table</a><br>Waves: not app' in section


def test_what_a_card_needs_and_has_not_is_loud(project):
    text = sample.described("open")["text"] | sample.CARD_TEXT | {"inputs": ""}
    sample.make_model(project, "shown", "open", text=text)
    section = model_card.page(read(project)).partition("## When it refuses to predict")[2]
    assert "✗&nbsp;MISSING" in section.partition("\n## ")[0]
