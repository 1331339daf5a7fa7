"""Evaluate given predictions: every number with its interval, for everybody and in groups."""

from collections.abc import Mapping, Sequence

import numpy as np

from iesoresearch.models.evaluation import curve
from iesoresearch.models.evaluation.bootstrap import bootstrap
from iesoresearch.models.evaluation.conformal import conformal
from iesoresearch.models.evaluation.inputs import (
    Inputs,
    check_numbers,
    checked,
    checked_thresholds,
)
from iesoresearch.models.evaluation.performing import performance
from iesoresearch.models.evaluation.results import Evaluation
from iesoresearch.models.evaluation.views import View, layout

#: Thresholds with a net benefit, where none are asked for.
THRESHOLDS = (0.25, 0.5, 0.75)
#: Thresholds of decision curves.
GRID = tuple(round(0.01 * i, 2) for i in range(1, 100))


def evaluate(
    y: Sequence,
    p: Sequence,
    *,
    groups: Mapping[str, Sequence] | Sequence | None = None,
    clusters: Sequence | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    n_boot: int = 1000,
    random_state: int = 0,
    n_jobs: int = 1,
) -> Evaluation:
    """Evaluate predictions of a yes-or-no outcome, everything with its interval of 95 %.

    The data should be others than those the predictions were made from; for what takes the model
    itself, see `iesoresearch.models.validation`. Patients, or clusters, are resampled whole, all
    groups with the same resamples. From these come

    - AUC: a score interval scaled to their variance (`intervals.of_auc`);
    - Brier score, scaled Brier score, log-loss, observed / expected: expanded percentiles;
    - net benefit: their spread, with Student's t (`intervals.margin`);
    - ICI, E50, E90: the curve is fitted anew in each, to the means of `views.CELLS` cells
      (`intervals.of_distance`).

    Calibration in the large, slope and curve have Wald intervals by the sandwich, with Student's t.

    Where at least 100 patients have the event, and there are 100 clusters or more, intervals hold
    the truth in 93 to 97 % (``studies/evaluation_coverage.py``). With 20 to 30 events, or 20
    clusters, it is 92 to 97 %, and those of the scaled Brier score and of net benefit miss it on
    one side, being too low. With fewer nothing is promised.

    Parameters
    ----------
    y
        (people,) outcomes, 0 or 1.
    p
        (people,) predictions, 0 to 1.
    groups
        Name of a grouping → (people,) level of everybody, texts or whole numbers; or one such
        array, which is called "group". A missing level is the level "missing".
    clusters
        (people,) the patient, service or whatever else is independent of others. Without, everybody
        is.
    thresholds
        At which net benefit has estimates; decision curves have those from 0.01 to 0.99, too.
    n_boot
        Resamples, at least 100.
    random_state
        Seed of the resamples and of the halves of `conformal`.
    n_jobs
        Threads; the result is the same with any number.

    Returns
    -------
    Evaluation
        What cannot be estimated is NaN, with the reason and the count; the rest is there.

    Raises
    ------
    DataError
        Lengths that differ, nobody at all, outcomes or predictions that are missing or out of
        range, clusters that are missing.
    ParameterError
        A threshold that is not between 0 and 1 or is given twice, too few resamples, no thread.

    Examples
    --------
    >>> y = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
    >>> p = [0.1, 0.3, 0.4, 0.2, 0.9, 0.7, 0.5, 0.6, 0.8, 0.4]
    >>> print(f"{evaluate(y, p, n_boot=100).overall['auc'].value:.2f}")
    0.94
    """
    thresholds = checked_thresholds(thresholds)
    check_numbers(n_boot, n_jobs)
    inputs = checked(y, p, groups, clusters)
    order = np.lexsort((inputs.y, inputs.p))
    unit = np.empty(len(order), dtype=np.int64)
    unit[order] = np.arange(len(order))
    if inputs.clusters is not None:
        unit = inputs.clusters
    views = [_view(inputs, order)]
    for levels, code in inputs.groups.values():
        views += [_view(inputs, order[code[order] == level]) for level in range(len(levels))]
    every = np.array(sorted({*GRID, *thresholds}))
    laid = layout(views, inputs.y, inputs.p, unit, int(unit.max()) + 1, every)
    replicates = bootstrap(laid, every, n_boot, random_state, n_jobs)
    pairs = zip(views, replicates, strict=True)
    done = iter([performance(inputs, v, r, every, thresholds) for v, r in pairs])
    overall = next(done)
    by_group = {
        name: {level: next(done) for level in levels} for name, (levels, _) in inputs.groups.items()
    }
    sets = conformal(inputs.y, inputs.p, inputs.groups, inputs.clusters, random_state)
    return Evaluation(overall, by_group, sets, thresholds, n_boot, random_state)


def _view(inputs: Inputs, index: np.ndarray) -> View:
    clusters = None if inputs.clusters is None else inputs.clusters[index]
    return View(index, curve.fit(inputs.y[index], inputs.p[index], clusters))
