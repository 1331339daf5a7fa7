"""Who contributes most to an amount: what dominance is judged by."""

import polars as pl

from iesoresearch.disclosure.policy import LARGEST


def columns(name: str) -> tuple[str, ...]:
    """Names of the columns of `largest`, for `Value.contributions` of the column `name`."""
    return tuple(f"{name}_largest_{place}" for place in range(1, LARGEST + 1))


def largest(name: str, amount: pl.Series, contributor: pl.Series) -> dict[str, float | None]:
    """Cells of the columns of a mean that say who contributes most to it.

    Parameters
    ----------
    name
        Of the column with the mean.
    amount
        (rows,) what is summed, such as days or sessions.
    contributor
        (rows,) whose it is, such as the patient; all rows of one count together.

    Returns
    -------
    dict
        By the names of `columns`, the largest first, null where there are no more contributors; all
        null where something is below zero: then it is no amount, and nobody holds a share of it.
    """
    rows = pl.DataFrame({"amount": amount, "who": contributor}).drop_nulls("amount")
    sums: list[float] = []
    if rows.height and rows["amount"].min() >= 0:
        whose = rows.group_by("who", maintain_order=True).agg(pl.col("amount").sum())
        sums = whose["amount"].cast(pl.Float64).top_k(LARGEST).sort(descending=True).to_list()
    return dict(zip(columns(name), [*sums, *[None] * (LARGEST - len(sums))], strict=True))
