"""What was seen, before any model: scores by arm and occasion, who left, and after which score."""

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.data.trials import Trial
from iesoresearch.measures.outcomes import wilson
from iesoresearch.results import Table, Value

THIRDS = ("lowest third", "middle third", "highest third")


def value(kind, label: str, digits: int, denominator: str | None = "n") -> Value:
    """Declaration of a column; the data are open."""
    return Value(kind, label, digits, denominator, sensitivity="open")


def count(label: str = "Patients") -> Value:
    """Declaration of a count."""
    return value("count", label, 0, None)


def interval(name: str, label: str, digits: int) -> dict[str, Value]:
    """Declarations of an estimate of a model and its 95 % interval."""
    return {
        name: value("model", label, digits),
        f"{name}_low": value("model", "95 % from", digits),
        f"{name}_high": value("model", "to", digits),
    }


def time_label(trial: Trial) -> str:
    """Heading of times."""
    return f"{trial.unit.capitalize()} since the start"


def summary(trial: Trial) -> Table:
    """How many patients there are, by arm, and how many gave every score."""
    rows = {"patients": trial.n}
    rows |= {f"… given {arm}": int((trial.arm == a).sum()) for a, arm in enumerate(trial.arms)}
    rows["scores"] = int(np.isfinite(trial.scores).sum())
    rows[f"patients with a score at {trial.occasions[-1]:g} {trial.unit}"] = int(
        (~trial.left).sum()
    )
    rows["patients with no score but the first"] = int((trial.last == 0).sum())
    rows["patients who missed a score and gave a later one"] = int(trial.with_gaps.sum())
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    return Table(f"The data: {trial.name}", frame, {"what": ""}, {"count": count("Number")})


def observed(trial: Trial) -> pl.DataFrame:
    """Mean score of those who gave one, by arm and time: mean with 95 % t interval, SD, n."""
    patient, occasion = np.nonzero(np.isfinite(trial.scores))
    long = pl.DataFrame(
        {
            "number": trial.arm[patient],
            "time": trial.occasions[occasion],
            "score": trial.scores[patient, occasion],
        }
    )
    found = (
        long.group_by("number", "time")
        .agg(mean=pl.col("score").mean(), sd=pl.col("score").std(), n=pl.len())
        .sort("number", "time")
    )
    n = found["n"].to_numpy()
    half = pl.Series(stats.t.ppf(0.975, np.maximum(n - 1, 1)) / np.sqrt(n)) * found["sd"]
    return found.select(
        pl.Series("arm", np.array(trial.arms)[found["number"].to_numpy()]),
        "time",
        "mean",
        mean_low=pl.col("mean") - half,
        mean_high=pl.col("mean") + half,
        sd="sd",
        n="n",
    )


def scores(trial: Trial) -> Table:
    """Table of `observed`."""
    values = {
        "mean": value("mean", f"Mean {trial.scale}", 1),
        "mean_low": value("mean", "95 % from", 1),
        "mean_high": value("mean", "to", 1),
        "sd": value("mean", "SD", 1),
        "n": count(),
    }
    keys = {"arm": "Arm", "time": time_label(trial)}
    return Table("Scores that were given", observed(trial), keys, values)


def _at_risk(trial: Trial) -> pl.DataFrame:
    """Every score but those of the last occasion: arm, time, third, whether none came after it."""
    patient, occasion = np.nonzero(np.isfinite(trial.scores[:, :-1]))
    return pl.DataFrame(
        {
            "arm": np.array(trial.arms)[trial.arm[patient]],
            "time": trial.occasions[occasion],
            "third": _thirds(trial.scores[patient, occasion], occasion),
            "left": trial.last[patient] == occasion,
        }
    )


def _thirds(score: np.ndarray, occasion: np.ndarray) -> list[str]:
    """Which third of the scores of its occasion each score is in; ties stay together."""
    found = np.empty(len(score), dtype=int)
    for j in np.unique(occasion):
        here = occasion == j
        found[here] = np.searchsorted(np.quantile(score[here], (1 / 3, 2 / 3)), score[here])
    return [THIRDS[third] for third in found]


def shares(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Share of true values of ``left``, %, with 95 % Wilson intervals, by group."""
    grouped = frame.group_by(by, maintain_order=True).agg(n=pl.len(), left=pl.col("left").sum())
    ends = wilson(pl.col("left"), pl.col("n"))
    return grouped.with_columns(
        share=100 * ends["rate"], share_low=100 * ends["low"], share_high=100 * ends["high"]
    )


def share_values(label: str, whom: str = "Patients") -> dict[str, Value]:
    """Declarations of the columns of `shares`."""
    return {
        "n": count(whom),
        "left": count("Left"),
        "share": value("mean", label, 0),
        "share_low": value("mean", "95 % from", 0),
        "share_high": value("mean", "to", 0),
    }


def drop_out(trial: Trial) -> Table:
    """Who gave a score at an occasion and none after it, by arm."""
    frame = shares(_at_risk(trial), ["arm", "time"]).sort(
        pl.col("arm").replace_strict({arm: a for a, arm in enumerate(trial.arms)}), "time"
    )
    values = share_values("Gave no later score, %", "Gave a score")
    keys = {"arm": "Arm", "time": time_label(trial)}
    return Table("Who left after which occasion (95 % Wilson intervals)", frame, keys, values)


def drop_out_by_score(trial: Trial) -> Table:
    """The same by third of the scores of the same occasion, all occasions after the start."""
    order = {name: i for i, name in enumerate(THIRDS)}
    arms = {arm: a for a, arm in enumerate(trial.arms)}
    later = _at_risk(trial).filter(pl.col("time") > 0)
    frame = shares(later, ["arm", "third"]).sort(
        pl.col("arm").replace_strict(arms), pl.col("third").replace_strict(order)
    )
    values = share_values("Gave no later score, %", "Scores")
    keys = {"arm": "Arm", "third": f"{trial.scale} among the scores of the occasion"}
    title = "Who left after which score, the first left out (95 % Wilson intervals)"
    return Table(title, frame, keys, values)


def who_leaves(trial: Trial) -> Table:
    """Share of patients without a last score, by what was known at the start."""
    first = trial.scores[:, 0]
    middle = float(np.median(first))
    groups = {"all patients": np.ones(trial.n, dtype=bool)}
    groups |= {arm: trial.arm == a for a, arm in enumerate(trial.arms)}
    groups[f"first {trial.scale} up to {middle:g}"] = first <= middle
    groups[f"first {trial.scale} above {middle:g}"] = first > middle
    for name, known in trial.known.items():
        groups |= {f"{name}: yes": known == 1, f"{name}: no": known == 0}
    long = pl.concat(
        pl.DataFrame({"group": [name] * int(mask.sum()), "left": trial.left[mask]})
        for name, mask in groups.items()
    )
    values = share_values("Left before the end, %")
    title = "Who leaves, by what was known at the start (95 % Wilson intervals)"
    return Table(title, shares(long, ["group"]), {"group": "Patients"}, values)
