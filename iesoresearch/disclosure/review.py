"""Review of released outputs: every table, number, figure, file and sentence gets a finding.

All is judged from what was released and declared, as it lies in the files, so that a coordinating
centre can judge a bundle again without a single record. "pass" says what proves it, "review" what
somebody has to look at, "refuse" why it cannot go out. What checkers of outputs most often send
back decides what is asked: unrounded counts, too little context, missing suppression, no underlying
counts, types of files (documentation of OpenSAFELY on output checking).
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import polars as pl

from iesoresearch.data import identifiers
from iesoresearch.disclosure import differencing, linked_review, statistics, table_review
from iesoresearch.disclosure.differencing import Earlier
from iesoresearch.disclosure.findings import Finding, worst
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import Number, Result

#: Types of documents beside tables and figures.
DOCUMENTS = (".json", ".csv", ".txt", ".md", ".html")
_DIGITS = re.compile(r"\d")
_PATH = re.compile(r"(?:^|[\s\"'=(])(?:/(?:home|Users|mnt|srv|data|tmp|root|work)/|[A-Za-z]:\\)")


def outputs(
    results: Mapping[str, Result], policy: Policy, earlier: Sequence[Earlier] = ()
) -> list[Finding]:
    """Findings about every output of some runs, and about what they tell beside earlier releases.

    Parameters
    ----------
    results
        Released results by run, such as `iesoresearch.stored.read_result` gives back.
    policy
        Of the release. Results released under a looser one are refused.
    earlier
        Earlier releases of the same site.
    """
    found = [one for run, result in results.items() for one in _of_run(run, result, policy)]
    return [*found, *differencing.compare(results, earlier, policy)]


def _of_run(run: str, result: Result, policy: Policy) -> list[Finding]:
    tables = [
        one
        for name, table in result.tables.items()
        for one in table_review.findings(run, name, table, policy)
    ]
    tables += linked_review.findings(run, result.tables, policy)
    return [
        *_whole(run, result, policy),
        *tables,
        *_numbers(run, result, policy),
        *_figures(run, result, tables),
        *_documents(run, result),
        *_sentences(run, result),
    ]


def _whole(run: str, result: Result, policy: Policy) -> Iterator[Finding]:
    applied = result.provenance.get("disclosure")
    if applied is None:
        yield Finding(run, "run", "refuse", "not released",
                      "The result never went through disclosure control. Run it again with this "
                      "version.")  # fmt: skip
        return
    if result.private:
        yield Finding(run, "run", "refuse", "rows of people",
                      "It holds rows of patients for later analyses; they never leave.",
                      {"tables": sorted(result.private)})  # fmt: skip
    if any(_PATH.search(str(said)) for said in result.provenance.values()):
        yield Finding(run, "run", "refuse", "paths", "It names a folder of the machine it was "
                      "computed on. Name the data, not where they lie.")  # fmt: skip
    try:
        looser = Policy(**applied).looser(policy)
    except TypeError:
        looser = list(applied)
    if looser:
        yield Finding(run, "run", "refuse", "policy", "It was released under a policy that is not "
                      "as strict as this one. Run it again under this policy.",
                      {"rules": looser, "released under": applied})  # fmt: skip
    else:
        yield Finding(run, "run", "pass", "policy", "Released under this policy or a stricter one.",
                      {"released under": applied})  # fmt: skip


def _numbers(run: str, result: Result, policy: Policy) -> Iterator[Finding]:
    told = _told(result)
    for name, number in result.numbers.items():
        status, rule, sentence, evidence = _number(number, told, policy)
        yield Finding(run, f"number:{name}", status, rule, sentence, evidence)


def _number(number: Number, told: Mapping[float, str], policy: Policy):
    if number.sensitivity == "open":
        return "pass", "open data", "Of open data.", {}
    if number.value is None:
        return "pass", "suppressed", "It is suppressed.", {"status": number.status}
    if isinstance(number.value, str):
        return "pass", "word", "A word, no number.", {}
    counts = [number.n] if number.n is not None else []
    counts += [number.value] if number.kind == "count" else []
    for count in counts:
        problem = table_review.count_problem(count, policy)
        if problem:
            return "refuse", f"{problem} counts", (
                "A count of people is shown, or stands behind it, that is below the threshold or "
                "not rounded. Release the run again under this policy."
            ), {}  # fmt: skip
    if number.value not in told and statistics.undone_number(number, policy):
        return "refuse", "rounding undone", (
            "It is finer than the rounded count behind it, or the rate of other people: derive it "
            "from a released table (disclosure.derived), or give the number it is a rate of."
        ), {"people": number.n}  # fmt: skip
    if counts:
        return "pass", "counts", "Enough people stand behind it, and their count is rounded.", {
            "people": counts[0]
        }  # fmt: skip
    if number.value in told:
        return "pass", "cell of a table", "It stands in a released table.", {
            "table": told[number.value]
        }  # fmt: skip
    return "review", "no count behind it", (
        "Nothing says how many people stand behind it: look it up before it is let out."
    ), {}  # fmt: skip


def _told(result: Result) -> dict[float, str]:
    """Every number of the tables, shares in per cent as well, with a table it stands in."""
    return {
        scale * cell: name
        for name, table in result.tables.items()
        for column in table.values
        if table.frame.schema[column].is_numeric()
        for cell in table.frame[column].drop_nulls().to_list()
        for scale in ((1, 100.0) if isinstance(cell, float) else (1,))
    }


def _figures(run: str, result: Result, tables: Sequence[Finding]) -> Iterator[Finding]:
    for name, spec in result.figures.items():
        output, of = f"figure:{name}", f"table:{spec.table}"
        if spec.table not in result.tables:
            yield Finding(run, output, "refuse", "no table", "It was not drawn from a released "
                          "table.")  # fmt: skip
        elif worst(one for one in tables if one.output == of) == "refuse":
            yield Finding(run, output, "refuse", "its table", "The table it is drawn from is "
                          "refused.", {"table": spec.table})  # fmt: skip
        else:
            yield Finding(run, output, "pass", "its table", "Drawn from a released table, which "
                          "goes with it, so it shows no more.", {"table": spec.table})  # fmt: skip


def _documents(run: str, result: Result) -> Iterator[Finding]:
    for name in result.documents:
        kind = PurePosixPath(name).suffix.lower()
        if kind in DOCUMENTS:
            yield Finding(run, f"file:{name}", "review", "document", "A file of its own kind: look "
                          "through it before it is let out.", {"type": kind})  # fmt: skip
        else:
            yield Finding(run, f"file:{name}", "refuse", "type of file", "Nobody can look through "
                          f"files of this type. Let the analysis write {', '.join(DOCUMENTS)}.",
                          {"type": kind or "none"})  # fmt: skip


def _sentences(run: str, result: Result) -> Iterator[Finding]:
    sentences = {f"text:{name}": template for name, template in result.text.items()}
    sentences |= {f"check:{check.name}": check.sentence for check in result.checks}
    sentences |= {f"caption:{name}": spec.caption for name, spec in result.figures.items()}
    sentences |= {f"absent:{name}": why for name, why in result.not_applicable.items()}
    looks = _identified(sentences)
    for output, template in sentences.items():
        literal, names = _literal(template)
        evidence = {"numbers": sorted(names & set(result.numbers))}
        if output in looks:
            yield Finding(run, output, "refuse", "identifiers", "It looks as if there were "
                          f"identifiers in it ({looks[output]}).")  # fmt: skip
        elif _DIGITS.search(literal):
            yield Finding(run, output, "review", "free text", "Numbers stand in the words "
                          "themselves: look whether any of them is about few people.",
                          evidence)  # fmt: skip
        else:
            yield Finding(run, output, "pass", "template", "Its numbers are released numbers, put "
                          "in after disclosure control.", evidence)  # fmt: skip


def _literal(template: str) -> tuple[str, set[str]]:
    """What a template says by itself, and the numbers it names."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:  # a brace by itself: no template
        return template, set()
    names = {re.split(r"[.\[]", field)[0] for _, field, _, _ in parsed if field}
    return "".join(words for words, *_ in parsed), names


def _identified(sentences: Mapping[str, str]) -> dict[str, str]:
    """Sentences with what looks like an identifier, and of which kind."""
    found = {}
    for output, words in sentences.items():
        looks = identifiers.identifiers(pl.DataFrame({"text": [words]}))
        # a forename alone is a word of many a method: Adam, Jackson, Wendy
        kinds = [one.kind for one in looks if one.kind != "names of people"]
        if kinds:
            found[output] = ", ".join(kinds)
    return found
