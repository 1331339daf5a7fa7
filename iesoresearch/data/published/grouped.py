"""Published figures by group of patients, in the same words for every year.

`packaged` are figures of England in the package: from 2017-18 to 2023-24 with all counts, and of
2024-25 the numbers of finished courses and the percentages only. `harmonised` brings a long file
(`iesoresearch.data.published.read`) of England, regions or providers into the same words.
"""

import importlib.resources

import polars as pl

from iesoresearch.data import published
from iesoresearch.data.published import labels
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes.rates import DENOMINATORS

KEYS = ("period", "org", "breakdown", "group")
SUPPRESSED_BELOW = 5  # counts of a region or provider; the others are rounded to this
_ROUNDED_BY = 2  # how far a count rounded to 5 can lie from the count
_MIDDLE = (SUPPRESSED_BELOW - 1) / 2  # of the counts that a suppressed one can be
_FEWEST = 10  # counts that say whether an organisation's are rounded
_LATEST_PRINTED = "2024-25"
_LIST = 3  # strange labels that a message names


def content() -> bytes:
    """The file that `packaged` reads beside the one of `published.load`."""
    return importlib.resources.files(published.__name__).joinpath("groups.csv").read_bytes()


def packaged() -> pl.DataFrame:
    """Figures of England by group of patients, 2017-18 to 2024-25, in the columns of `load`.

    Groups are named as in `iesoresearch.data.codes`. Bands of age changed in 2021-22, disability
    and orientation are there from 2020-21 on. Of 2024-25 the package has no counts of outcomes by
    group.
    """
    whole = published.load().filter(org=published.ENGLAND)
    latest = whole.filter(
        pl.col("breakdown").is_in([*labels.BREAKDOWNS.values(), labels.ETHNICITY]),
        period=_LATEST_PRINTED,
    )
    return pl.concat([_counted(), latest])


def _counted() -> pl.DataFrame:
    """groups.csv, one row per figure: a column of it is a measure, with "%" a percentage."""
    wide = pl.read_csv(content(), schema_overrides={"group": pl.String})
    about = ["period", "breakdown", "group"]
    figures = wide.unpivot(index=about, variable_name="measure")
    percentage = pl.col("measure").str.ends_with(" %")
    return figures.drop_nulls("value").select(
        "period",
        org=pl.lit(published.ENGLAND),
        breakdown="breakdown",
        group="group",
        measure=pl.col("measure").str.strip_suffix(" %"),
        statistic=pl.when(percentage).then(pl.lit("percentage")).otherwise(pl.lit("count")),
        value=pl.col("value").cast(pl.Float64),
        source=pl.lit("annual report"),
    )


def harmonised(frame: pl.DataFrame) -> pl.DataFrame:
    """Figures as `published.read` gives them, with breakdowns and groups in our words.

    Breakdowns that are not about who the patients are (waits, problems, therapies) are left out.
    Deprivation is turned so that 1 is the most deprived decile, whichever end the labels count
    from; categories of ethnicity become codes, apart from the five groups.

    Raises
    ------
    DataError
        A breakdown or label that nobody here knows; the same figure twice; a count or percentage
        that cannot be; nothing by group.
    """
    # providers of therapy tables have no groups of patients
    known = [*labels.BREAKDOWNS, *labels.PASSED_OVER, "proms"]
    strange = sorted(set(frame["breakdown"].unique()) - set(known))
    if strange:
        raise DataError(
            f"Published figures: nobody here knows the breakdown(s) {_quoted(strange)}. Known are "
            f"{', '.join(known)}. Rename what is one of these, leave out what is not."
        )
    about = frame.filter(pl.col("breakdown").is_in(list(labels.BREAKDOWNS)))
    if set(about["breakdown"].unique()) <= {labels.TOTAL}:
        raise DataError(
            "Published figures: there are none by group of patients. The columns variable_type and "
            "variable_a of a long file say what group a figure is about, such as Ethnic Group and "
            "White; they are absent, empty or the same everywhere."
        )
    found = _renamed(about)
    _refuse_impossible(found)
    return _without_copies(found)


def _renamed(frame: pl.DataFrame) -> pl.DataFrame:
    pairs = frame.select("breakdown", "group").unique(maintain_order=True)
    named, strange = [], []
    for breakdown, group in pairs.iter_rows():
        first, _, second = group.partition(published.WITHIN)
        ours = labels.named(labels.BREAKDOWNS[breakdown], first, second or None)
        if ours is None:
            strange.append(f"{group} ({breakdown})")
        else:
            named.append((breakdown, group, *ours))
    if strange:
        raise DataError(
            f"Published figures: nobody here knows the label(s) {_quoted(strange)}. Labels change "
            "between years; a new one belongs into iesoresearch.data.published.labels, where its "
            "meaning is decided once, and is not guessed. Deprivation is read from labels that "
            "say which end is the most deprived one; disabilities from code and label together."
        )
    _refuse_both_ends(frame)
    names = ["breakdown", "group", "new_breakdown", "new_group"]
    table = pl.DataFrame(named, schema=names, orient="row")
    joined = frame.join(table, on=["breakdown", "group"], how="left", maintain_order="left")
    return joined.with_columns(breakdown="new_breakdown", group="new_group").select(frame.columns)


def _refuse_both_ends(frame: pl.DataFrame) -> None:
    """Each label may say its end and the labels of a year contradict each other all the same."""
    ours = {b for b, name in labels.BREAKDOWNS.items() if name == "deprivation decile"}
    found = frame.filter(pl.col("breakdown").is_in(list(ours))).select("period", "group").unique()
    ends: dict[str, dict[str, str]] = {}
    for period, label in found.sort("period", "group").iter_rows():
        end = labels.counts_from(label)
        if end is not None:
            ends.setdefault(period, {}).setdefault(end, label)
    for period, examples in ends.items():
        if len(examples) > 1:
            raise DataError(
                f"Published figures of {period}: deprivation is counted from both ends, "
                f"{examples[labels.LEAST]!r} from the least deprived one and "
                f"{examples[labels.MOST]!r} from the most. Two groups would be taken for one, or "
                "for each other. Make all labels of a year count from one end."
            )


def _quoted(names: list[str]) -> str:
    more = f" and {len(names) - _LIST} more" if len(names) > _LIST else ""
    return ", ".join(map(repr, names[:_LIST])) + more


def _refuse_impossible(frame: pl.DataFrame) -> None:
    value = pl.col("value")
    count = pl.col("statistic").str.starts_with("count")
    wrong = pl.when(count).then((value < 0) | (value != value.round()))
    wrong = wrong.otherwise(~value.is_between(0, 100))
    found = frame.filter(wrong)
    if found.height:
        period, _, breakdown, group, measure, statistic, number = found.row(0)[:7]
        raise DataError(
            f"Published figures: the {statistic} {number:g} cannot be ({measure}, {breakdown} "
            f"{group}, {period}); so {found.height} figure(s). Counts are whole numbers from 0 on, "
            "percentages lie between 0 and 100."
        )
    printed = frame.filter(statistic="percentage")["value"]
    if len(printed) and 0 < printed.max() <= 1:
        raise DataError(
            f"Published figures: none of {len(printed)} percentages is above 1, so they are shares "
            "(0.508 for 50.8 %). Multiply them by 100."
        )


def _without_copies(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per figure: a parent that is listed as its only part, too, is one."""
    key = [*KEYS, "measure", "statistic"]
    if not frame.select(key).is_duplicated().any():
        return frame
    single = frame.unique(maintain_order=True)
    twice = single.filter(single.select(key).is_duplicated())
    if twice.height:
        period, org, breakdown, group, measure = twice.row(0)[:5]
        raise DataError(
            f"Published figures: {measure} of {breakdown} {group}, {org}, {period} is there with "
            "different values. Either a file is in twice, in two versions, or two labels mean the "
            "same group, as when deprivation is counted from both ends. Keep one."
        )
    return single


def cells(frame: pl.DataFrame) -> pl.DataFrame:
    """What each rate by group is made of, with the official denominators.

    Recovery is of the finished courses not known to be below caseness, the other outcomes are of
    all finished courses. Counts of regions and providers are rounded to 5 and small ones
    suppressed: how far a count can be off stands beside it. Where those below caseness are
    suppressed, they are taken for so many (below 5) as agree with the printed percentage. Where a
    percentage and its denominator are published but no numerator, the numerator is what the
    percentage allows for; where the denominator is not published either, nothing is filled in.

    Parameters
    ----------
    frame
        As from `packaged` or `harmonised`.

    Returns
    -------
    polars.DataFrame
        period, org, breakdown, group, measure, referrals, finished, events, n (whole numbers; null
        where not published), events_error, n_error (largest distance from the truth), stated (the
        printed percentage or null), made_of ("counts", "percentage", "neither").

    Raises
    ------
    DataError
        There are more with the outcome than there are courses.
    """
    counts = frame.filter(pl.col("statistic") == "count")
    wide = counts.pivot(on="measure", index=KEYS, values="value", maintain_order=True)
    needed = ["referrals", "finished", "not at caseness", *DENOMINATORS]
    wide = wide.with_columns(
        pl.lit(None, pl.Float64).alias(m) for m in needed if m not in wide.columns
    )
    wide = wide.join(_precision(counts), on="org", how="left", maintain_order="left")
    stated = frame.filter(pl.col("statistic") == "percentage").select(
        *KEYS, "measure", stated="value"
    )
    parts = [_of_measure(wide, stated, measure, less) for measure, less in DENOMINATORS.items()]
    found = pl.concat(parts)
    impossible = found.filter(
        pl.col("events") - pl.col("events_error") > pl.col("n") + pl.col("n_error")
    )
    if impossible.height:
        period, org, breakdown, group, measure = impossible.row(0)[:5]
        raise DataError(
            f"Published figures: more courses with {measure} than courses ({breakdown} {group}, "
            f"{org}, {period}); so {impossible.height} figure(s). Correct the file."
        )
    return found


def _precision(counts: pl.DataFrame) -> pl.DataFrame:
    """By organisation, how far a count can be off: 0, or 2 where all are multiples of 5."""
    fives = (pl.col("value") % SUPPRESSED_BELOW == 0).all()
    england = pl.col("org").first() == published.ENGLAND
    rounded = fives & (~england | (pl.len() >= _FEWEST))
    return counts.group_by("org", maintain_order=True).agg(
        off=pl.when(rounded).then(float(_ROUNDED_BY)).otherwise(0.0)
    )


def _of_measure(
    wide: pl.DataFrame, stated: pl.DataFrame, measure: str, less: str | None
) -> pl.DataFrame:
    rows = wide.with_columns(measure=pl.lit(measure)).join(
        stated, on=[*KEYS, "measure"], how="full", coalesce=True, maintain_order="left"
    )
    rows = rows.filter(measure=measure)
    off, finished = pl.col("off"), pl.col("finished")
    n, n_error = finished, off
    if less is not None:
        # where counts are rounded, one that is not there is below 5, if there are others
        suppressed = (off > 0) & pl.col(less).is_not_null().any().over("period", "off")
        filled = pl.col(less).is_null() & suppressed
        fewer = _fewer(measure)
        n = finished - pl.when(filled).then(fewer).otherwise(pl.col(less))
        n_error = 2 * off + pl.when(filled).then((fewer - _MIDDLE).abs()).otherwise(0.0)
    half = pl.when(off > 0).then(0.5).otherwise(0.05)
    printed = pl.col("stated") * n / 100
    return rows.select(
        *KEYS,
        "measure",
        "referrals",
        "finished",
        events=pl.coalesce(pl.col(measure), printed),
        n=n,
        events_error=pl.when(pl.col(measure).is_null()).then(half * n / 100).otherwise(off),
        n_error=n_error,
        stated="stated",
        made_of=pl.when(n.is_not_null() & pl.col(measure).is_not_null())
        .then(pl.lit("counts"))
        .when(pl.col("stated").is_not_null())
        .then(pl.lit("percentage"))
        .otherwise(pl.lit("neither")),
    )


def _fewer(measure: str) -> pl.Expr:
    """How many were below caseness where that is suppressed: the middle of what can be.

    Can be, that no more have the outcome than courses count and the percentage is as printed.
    """
    events, finished, half = pl.col(measure), pl.col("finished"), 0.5 + 1e-9
    fits, taken = [], []
    for count in range(SUPPRESSED_BELOW):
        n = finished - count
        agrees = (100 * events / pl.when(n > 0).then(n) - pl.col("stated")).abs() <= half
        fits.append(((events <= n) & agrees).fill_null(value=False))
        taken.append(count * fits[-1].cast(pl.Float64))
    chosen = (pl.sum_horizontal(taken) / pl.sum_horizontal(fits)).floor()
    return pl.when(pl.any_horizontal(fits)).then(chosen).otherwise(_MIDDLE)
