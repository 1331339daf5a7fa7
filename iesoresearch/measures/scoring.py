"""Totals and severity bands from item answers."""

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.measures.instruments import Instrument

COMPLETE, PRORATED, INCOMPLETE, OUT_OF_RANGE = (
    "complete",
    "prorated",
    "too many missing",
    "out of range",
)


def score(frame: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Total score of every row.

    Parameters
    ----------
    frame
        Holds the item columns ``instrument.columns``; null = missing.
    instrument
        The questionnaire and its rule for missing items.

    Returns
    -------
    polars.DataFrame
        One row per row of `frame`: ``<code>_total`` (null where there is none; a prorated total
        need not be whole), ``<code>_band`` (of the total rounded half up), ``<code>_status``:
        "complete", "prorated", "too many missing" or "out of range". A row with any answer outside
        its item's range never gets a total.

    Raises
    ------
    DataError
        An item column is absent.
    """
    absent = [column for column in instrument.columns if column not in frame.columns]
    if absent:
        raise DataError(
            f"{instrument.name} cannot be scored: the column(s) {', '.join(absent)} are absent. "
            "Add them (empty where nothing was asked), or leave the questionnaire out."
        )
    total, status = total_and_status(instrument)
    rounded = (total + 0.5).floor()
    band = pl.lit(None, pl.String)
    for b in instrument.bands:
        band = pl.when(rounded.is_between(b.low, b.high)).then(pl.lit(b.name)).otherwise(band)
    code = instrument.code
    return frame.select(
        total.alias(f"{code}_total"), band.alias(f"{code}_band"), status.alias(f"{code}_status")
    )


def total_and_status(instrument: Instrument) -> tuple[pl.Expr, pl.Expr]:
    """Total and status of `score`, as expressions of the item columns."""
    n_items = len(instrument.items)
    answers, outside = [], []
    for column, item in zip(instrument.columns, instrument.items, strict=True):
        value = pl.col(column)
        if item.not_applicable is not None:
            value = pl.when(value != item.not_applicable).then(value)
        answers.append(value.cast(pl.Int16))
        outside.append(~value.is_between(item.low, item.high))
    answered = pl.sum_horizontal(a.is_not_null() for a in answers)
    beyond = pl.any_horizontal(outside).fill_null(False)
    enough = answered >= n_items - instrument.max_missing
    status = (
        pl.when(beyond)
        .then(pl.lit(OUT_OF_RANGE))
        .when(answered == n_items)
        .then(pl.lit(COMPLETE))
        .when(enough)
        .then(pl.lit(PRORATED))
        .otherwise(pl.lit(INCOMPLETE))
    )
    return pl.when(enough & ~beyond).then(pl.sum_horizontal(answers) * n_items / answered), status
