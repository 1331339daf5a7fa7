"""The outcome flags as three-valued logic: true, false, or null where it cannot be known.

The official flags are only ever true or null; ours say false where false is certain.
"""

import polars as pl

FLAGS = (
    "caseness",
    "recovery",
    "reliable_improvement",
    "reliable_deterioration",
    "no_reliable_change",
    "reliable_recovery",
)
#: What the flags are computed from: scores, and the rules of the two scales of a row.
SCORES = ("phq9_first", "phq9_last", "anxiety_first", "anxiety_last")
RULES = ("phq9_caseness", "phq9_reliable_change", "anxiety_caseness", "anxiety_reliable_change")


def flags() -> dict[str, pl.Expr]:
    """Expression of every flag, of frames with the columns `SCORES` and `RULES`.

    A comparison with a score or rule that is missing is unknown. Unknown *or* true is true,
    unknown *and* false is false; all else with an unknown part is unknown. So:

    caseness
        First PHQ-9 *or* first anxiety measure at or above its threshold. True as soon as one is;
        false only if both are known to be below.
    recovery
        At caseness at the start, last PHQ-9 *and* last anxiety measure below threshold. False as
        soon as one last score is not below, or when not at caseness at the start (those are not
        in the denominator either); true only if all is known.
    reliable improvement
        One measure falls reliably and the other does not rise reliably. A measure without two
        scores may have risen, so improvement is then unknown, or false where the other rose.
    reliable deterioration
        The mirror image. The definition of the official flag was not found; this is inferred from
        the one of improvement.
    no reliable change
        Neither of the two. One measure up and the other down lands here (inferred as well).
    reliable recovery
        Recovery *and* reliable improvement.
    """
    change = {m: pl.col(f"{m}_first") - pl.col(f"{m}_last") for m in ("phq9", "anxiety")}
    fell = {m: c >= pl.col(f"{m}_reliable_change") for m, c in change.items()}
    rose = {m: c <= -pl.col(f"{m}_reliable_change") for m, c in change.items()}
    at = {name: pl.col(name) >= pl.col(f"{name.split('_')[0]}_caseness") for name in SCORES}
    caseness = at["phq9_first"] | at["anxiety_first"]
    recovery = caseness & ~at["phq9_last"] & ~at["anxiety_last"]
    improved = (fell["phq9"] & ~rose["anxiety"]) | (fell["anxiety"] & ~rose["phq9"])
    worse = (rose["phq9"] & ~fell["anxiety"]) | (rose["anxiety"] & ~fell["phq9"])
    return {
        "caseness": caseness,
        "recovery": recovery,
        "reliable_improvement": improved,
        "reliable_deterioration": worse,
        "no_reliable_change": ~improved & ~worse,
        "reliable_recovery": recovery & improved,
    }


def with_flags(frame: pl.LazyFrame) -> pl.LazyFrame:
    """`frame` with the flags, all null unless ``finished``, and the ``reason`` of a null.

    The reason is the first that holds of: "not finished", "threshold not sourced", "no first
    score", "no last score". Official flags are set for finished courses only, and so are these.
    """
    finished = pl.col("finished")
    frame = frame.with_columns(
        **{name: pl.when(finished).then(flag) for name, flag in flags().items()}
    )
    no_rule = pl.any_horizontal(pl.col(RULES).is_null())
    no_first = pl.col("phq9_first").is_null() | pl.col("anxiety_first").is_null()
    return frame.with_columns(
        reason=pl.when(~finished)
        .then(pl.lit("not finished"))
        .when(pl.all_horizontal(pl.col(FLAGS).is_not_null()))
        .then(None)
        .when(no_rule)
        .then(pl.lit(UNSOURCED))
        .when(no_first)
        .then(pl.lit(NO_FIRST))
        .otherwise(pl.lit(NO_LAST))
    )


#: Why an outcome is not known.
UNSOURCED = "threshold not sourced"
NO_FIRST, NO_LAST = "no first score", "no last score"
