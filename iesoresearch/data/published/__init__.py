"""Published figures of NHS Talking Therapies: a small table in the package, and the long files.

Contains public sector information licensed under the Open Government Licence v3.0. Copyright NHS
England.
"""

import importlib.resources
import re
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError

ATTRIBUTION = (
    "Contains public sector information licensed under the Open Government Licence v3.0. "
    "Copyright NHS England."
)
_TIDIED = "tidied by the Bennett Institute (github.com/bennettoxford/nhstt, commit f65c91b)"
#: What the column ``source`` stands for.
SOURCES = {
    "annual report": "NHS England, NHS Talking Therapies annual reports 2017-18 to 2024-25 "
    f"(the last: psych-ther-ann-rep-csv-2024-25-2.zip), {_TIDIED}",
    "outcomes by therapy": "NHS England, NHS Talking Therapies annual reports 2019-20 to 2024-25, "
    f"therapy-based outcomes (the last: ther-based-outcomes2425-2.zip), {_TIDIED}",
    "computed": "computed by this project from the counts of the annual reports",
}
ENGLAND, IESO = "England", "AM601"
COLUMNS = ("period", "org", "breakdown", "group", "measure", "statistic", "value", "source")
#: Measure of the long files -> our word, which is also that of `iesoresearch.measures.outcomes`.
MEASURES = {
    "referrals_received": "referrals",
    "finished_course_treatment": "finished",
    "at_caseness": "at caseness",
    "not_at_caseness": "not at caseness",
    "improvement": "reliable improvement",
    "deterioration": "reliable deterioration",
    "no_reliable_change": "no reliable change",
    "recovery": "recovery",
    "reliable_recovery": "reliable recovery",
    "total_finishing_course_treatment": "finished",
    "courses_of_therapy": "courses",
    "not_caseness": "not at caseness",
    "ther_improvement": "reliable improvement",
    "ther_deterioration": "reliable deterioration",
    "ther_no_change": "no reliable change",
    "ther_recovery": "recovery",
    "ther_rel_recovery": "reliable recovery",
    "phq": "phq9",
    "gad": "gad7",
    "wsas": "wsas",
}
WITHIN = " / "  # between a group and the one within it
#: How the annual reports mark what they suppress, and what tidying made of it.
SUPPRESSED_MARKS = ("*", "-", "NULL", "NaN", "nan", "NA", "")
_PERIOD = re.compile(r"\d{4}-\d{2}")
_TIMES = {"start": " first", "end": " last"}
_LONG = (
    *("reporting_period", "org_type", "org_code", "variable_type", "variable_a", "variable_b"),
    *("measure_name", "measure_statistic", "value"),
)


def content() -> bytes:
    """The file that `load` reads."""
    return importlib.resources.files(__name__).joinpath("figures.csv").read_bytes()


def load() -> pl.DataFrame:
    """Figures that a calibration or a comparison needs, of England and of ieso (provider AM601).

    Years 2017-18 to 2024-25, and the last one by group of patients, problem and therapy. Figures of
    England are exact; those of a provider are counts rounded to 5 and whole percentages. Groups are
    named as in `iesoresearch.data.codes`: deprivation decile 1 is the most deprived. Long-term
    conditions, disabilities and religions of one year may count a person more than once.

    Returns
    -------
    polars.DataFrame
        period, org, breakdown, group, measure, statistic ("count", "percentage", "mean", "sd",
        "effect size" …), value, source (see `SOURCES`).
    """
    return pl.read_csv(
        content(),
        schema=dict.fromkeys(COLUMNS, pl.String) | {"value": pl.Float64},
    )


def read(path: Path) -> pl.DataFrame:
    """One of the long files of tidied annual reports (Parquet or CSV), in the columns of `load`.

    Groups keep their published labels; a group within a group reads "White / Irish". What was
    suppressed ("*", "-", empty or not a number) is left out. ``org`` is "England" or the code of a
    region or provider.

    Raises
    ------
    DataError
        The file cannot be read, is not such a file, or holds a measure or value that cannot be.
    """
    frame, names = _scanned(path)
    absent = [name for name in _LONG if name not in names]
    if absent:
        raise DataError(
            f"{path} is not a long file of published figures: {', '.join(absent)} are absent."
        )
    text = [name for name in (*_LONG[:-1], "measure_time") if name in names]
    frame = frame.select(pl.col(text).cast(pl.String), _number(path, frame)).collect()
    frame = frame.filter(pl.col("value").is_not_nan())  # null is not, either
    _refuse_unknown(path, frame)
    time = pl.col("measure_time") if "measure_time" in names else pl.lit(None, pl.String)
    parts = [pl.col(c).replace(["NULL", ""], None) for c in ("variable_a", "variable_b")]
    group = pl.concat_str(parts, separator=WITHIN, ignore_nulls=True).replace("", "all")
    therapies = pl.col("variable_type") == "PROMs"
    return frame.select(
        period="reporting_period",
        org=pl.when(pl.col("org_type") == ENGLAND).then("org_type").otherwise("org_code"),
        breakdown=pl.col("variable_type").str.to_lowercase(),
        group=group,
        measure=pl.col("measure_name").replace_strict(MEASURES)
        + time.replace_strict(_TIMES, default=""),
        statistic=pl.col("measure_statistic").str.replace("_", " ", literal=True),
        value="value",
        source=pl.when(therapies)
        .then(pl.lit("outcomes by therapy"))
        .otherwise(pl.lit("annual report")),
    )


def organisations(path: Path) -> pl.DataFrame:
    """Regions and providers of a long file, with their latest names: org, kind, name.

    Raises
    ------
    DataError
        As `read`.
    """
    frame, names = _scanned(path)
    if not {"org_type", "org_code", "org_name", "reporting_period"} <= set(names):
        raise DataError(f"{path} does not name its organisations: org_name is absent.")
    columns = ("reporting_period", "org_type", "org_code", "org_name")
    found = frame.select(pl.col(columns).cast(pl.String)).unique().collect()
    found = found.filter(pl.col("org_type") != ENGLAND).sort(columns, descending=True)
    latest = found.unique("org_code", keep="first", maintain_order=True).sort("org_code")
    return latest.select(org="org_code", kind="org_type", name="org_name")


def _scanned(path: Path) -> tuple[pl.LazyFrame, list[str]]:
    try:
        if path.suffix.lower() == ".csv":
            frame = pl.scan_csv(path, infer_schema=False)
        else:
            frame = pl.scan_parquet(path)
        return frame, frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(
            f"{path} cannot be read as Parquet, or as CSV where its name ends in .csv. Name one of "
            "the long files."
        ) from None


def _number(path: Path, frame: pl.LazyFrame) -> pl.Expr:
    """The value as a number; null where it was suppressed."""
    value = pl.col("value")
    if frame.collect_schema()["value"].is_numeric():
        return value.cast(pl.Float64)
    text = value.cast(pl.String).str.strip_chars()
    text = pl.when(text.is_in(SUPPRESSED_MARKS)).then(None).otherwise(text)
    number = text.cast(pl.Float64, strict=False)
    strange = frame.filter(text.is_not_null() & number.is_null()).select(text.alias("value"))
    found = strange.unique().sort("value").head(3).collect()["value"].to_list()
    if found:
        raise DataError(
            f"{path}: value holds {', '.join(map(repr, found))}, neither numbers nor a mark of "
            f"suppression ({' '.join(m for m in SUPPRESSED_MARKS if m)}). Correct the file."
        )
    return number.alias("value")


def _refuse_unknown(path: Path, frame: pl.DataFrame) -> None:
    strange = sorted(set(frame["measure_name"].unique()) - set(MEASURES))
    if strange:
        raise DataError(
            f"{path}: nobody here knows the measure(s) {', '.join(map(repr, strange))}. The names "
            f"are those of the tidied annual reports: {', '.join(MEASURES)}."
        )
    periods = frame["reporting_period"].unique().sort().to_list()
    odd = [p for p in periods if p is None or not _PERIOD.fullmatch(p)]
    if odd:
        raise DataError(
            f"{path}: {odd[0]!r} in reporting_period is not a financial year such as 2023-24."
        )
