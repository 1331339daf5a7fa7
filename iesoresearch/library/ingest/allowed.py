"""What comes in of values that no code list bounds: elements of therapy, scales, words counted.

A number or a word that nothing bounds could carry anything, such as a telephone number.
"""

import polars as pl

from iesoresearch.data.questions import Tables
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.errors import DataError
from iesoresearch.library.deidentify.words import Redactor
from iesoresearch.measures.scales import SCALES, Scale

MOST_WORDS = 20_000  # of a session; nobody says more


def allowed(
    tables: Tables, elements: list[str], scales: dict[str, Scale]
) -> tuple[Tables, dict[str, int]]:
    """Tables without scores of unknown scales, and how many there were, by sentence.

    Parameters
    ----------
    tables
        Canonical, lazy.
    elements
        The site's codebook, beside the elements of synthetic cohorts.
    scales
        The site's own, by code.

    Raises
    ------
    DataError
        An element is in no codebook, a codebook holds an identifier, or a session has more words
        than anybody can say.
    """
    found = dict(tables)
    problems = _elements(found, elements) if "content" in found else []
    if problems:
        raise DataError(
            f"The data: {'; '.join(problems)}. Correct them and ingest again; nothing was written."
        )
    if "scores" not in found:
        return found, {}
    found["scores"], n = _of_known_scales(found["scores"], SCALES | scales)
    text = "{n} score(s) are of a scale that is not known or lie outside it; left out"
    return found, {text: n}


def _elements(tables: Tables, elements: list[str]) -> list[str]:
    redactor = Redactor()
    bad = sum(redactor.redact(name)[0] != name for name in elements)
    known = [*elements, *(name for name, _, _ in Profile.load("england")["content"])]
    asked = tables["content"].select(
        unknown=(~pl.col("element").str.strip_chars().is_in(known)).fill_null(False).sum(),
        words=(pl.col("words").cast(pl.Float64, strict=False) > MOST_WORDS).fill_null(False).sum(),
    )
    n = asked.collect(engine="streaming").row(0, named=True)
    problems = []
    if bad:
        problems.append(f"{bad} element(s) of the codebook look like identifiers")
    if n["unknown"]:
        problems.append(
            f"content: {n['unknown']} row(s) have an element of no codebook; list the site's own "
            "as elements in the file of --declare"
        )
    if n["words"]:
        problems.append(f"content: {n['words']} row(s) count more than {MOST_WORDS:,} words")
    return problems


def _of_known_scales(scores: pl.LazyFrame, scales: dict[str, Scale]):
    ranges = pl.LazyFrame(
        [(code, min(scale.low, 0.0), scale.high) for code, scale in scales.items()],
        schema={"instrument": pl.String, "|low": pl.Float64, "|high": pl.Float64},
        orient="row",
    )
    value = pl.col("value").cast(pl.Float64, strict=False)
    rows = scores.with_columns(pl.col("instrument").cast(pl.String).str.strip_chars())
    rows = rows.join(ranges, on="instrument", how="left")
    inside = pl.col("|low").is_not_null() & (
        value.is_null() | value.is_between(pl.col("|low"), pl.col("|high"))
    )
    outside = rows.select((~inside).sum()).collect(engine="streaming").item()
    return rows.filter(inside).drop("|low", "|high"), outside
