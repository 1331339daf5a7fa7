"""Bootstrap of everything at once: the same resamples for all views, whatever the threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evaluation import kernels
from iesoresearch.models.evaluation.views import Layout
from iesoresearch.seeds import derive

_AT_ONCE = 16  # resamples handed to a thread


@dataclass(frozen=True)
class Replicates:
    """What the resamples of one view gave.

    Attributes
    ----------
    values
        By name of the metric, (resamples,); NaN where a resample has no such number.
    net_benefit, treat_all, over_treat_all
        (resamples, thresholds); the last is the difference of the others.
    """

    values: dict[str, np.ndarray]
    net_benefit: np.ndarray
    treat_all: np.ndarray
    over_treat_all: np.ndarray


def key_of(random_state: int) -> np.uint64:
    """Key of the resamples below a seed."""
    return np.uint64(derive(random_state, "evaluation", "bootstrap"))


def counts(random_state: int, number: int, n_units: int) -> np.ndarray:
    """(units,) how often each unit is drawn in a resample, counted from 0."""
    drawn = np.empty(n_units, dtype=np.uint8)
    kernels.draw(key_of(random_state), number, drawn)
    return drawn


def bootstrap(
    layout: Layout, thresholds: np.ndarray, n_boot: int, random_state: int, n_jobs: int
) -> list[Replicates]:
    """Resample units with replacement, and evaluate every view.

    Parameters
    ----------
    layout
        Of the people.
    thresholds
        (thresholds,) those that `layout` was made with.
    n_boot
        Resamples.
    random_state
        Seed.
    n_jobs
        Threads; the result is the same with any number.

    Returns
    -------
    list of Replicates
        One per view.
    """
    n_views = len(layout.views)
    sums = np.empty((n_boot, n_views, kernels.N_SUMS))
    above = np.empty((n_boot, n_views, len(thresholds), 2), dtype=np.int32)
    key = key_of(random_state)

    def some(first):
        last = min(first + _AT_ONCE, n_boot)
        kernels.resample(
            key, first, last, layout.n_units, layout.rows, layout.views, layout.cells,
            layout.ties, layout.smoothers, sums, above,
        )  # fmt: skip

    with ThreadPoolExecutor(n_jobs) as executor:
        list(executor.map(some, range(0, n_boot, _AT_ONCE)))
    odds = thresholds / (1 - thresholds)
    return [_replicates(sums[:, v], above[:, v], odds) for v in range(n_views)]


def _replicates(sums, above, odds) -> Replicates:
    events, others = sums[:, kernels.EVENTS], sums[:, kernels.OTHERS]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        n = np.where(events + others > 0, events + others, np.nan)
        rate, brier = events / n, sums[:, kernels.SQUARES] / n
        by_base_rate = np.where((events > 0) & (others > 0), rate * (1 - rate), np.nan)
        expected = np.where(sums[:, kernels.EXPECTED] > 0, sums[:, kernels.EXPECTED], np.nan)
        values = {
            "auc": sums[:, kernels.AUC],
            "brier": brier,
            "scaled_brier": 1 - brier / by_base_rate,
            "log_loss": sums[:, kernels.LOSS] / n,
            "observed_expected": events / expected,
            "ici": sums[:, kernels.ICI],
            "e50": sums[:, kernels.E50],
            "e90": sums[:, kernels.E90],
        }
        below = np.stack([events, others], axis=-1)[:, None] - above
        net_benefit, left_out = (
            (x[..., 0] - odds * x[..., 1]) / n[:, None] for x in (above, below)
        )
        treat_all = (events[:, None] - odds * others[:, None]) / n[:, None]
    # from who is left out, so that it is 0 where nobody is
    return Replicates(values, net_benefit, treat_all, 0.0 - left_out)
