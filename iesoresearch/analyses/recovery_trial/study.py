"""How `recovery_trial` is computed: load, fit, expect, classify."""

from dataclasses import replace

import numpy as np

from iesoresearch.analyses.recovery_trial import Params
from iesoresearch.analyses.recovery_trial.checks import checks
from iesoresearch.analyses.recovery_trial.described import summary
from iesoresearch.analyses.recovery_trial.expected import Expected
from iesoresearch.analyses.recovery_trial.fitted import Fitted, growth_data
from iesoresearch.analyses.recovery_trial.tables import all_tables
from iesoresearch.analyses.recovery_trial.text import text
from iesoresearch.analyses.recovery_trial.words import FIGURES, numbers
from iesoresearch.data import trials
from iesoresearch.data.trials import MONTHS, Trial
from iesoresearch.models.growth import GrowthModel
from iesoresearch.models.trajectories import TrajectoryClasses, choose
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive, rng

__all__ = ["fit", "load", "run", "summary"]

TITLE = "Response and drop-out in a real trial"
SHAPE = {"scale": "log", "degree": 2}  # of the curves of the classes


def load(params: Params, settings: Settings) -> Trial:
    """The trial that `params` name.

    Raises
    ------
    NotApplicable
        It is not here.
    DataError
        It is damaged.
    """
    if params.source == "btheb":
        trial = trials.beat_the_blues(params.months)
    else:
        trial = trials.antidepressant(settings.search_path)
    return replace(trial, n_jobs=settings.n_jobs)


def run(trial: Trial, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        Too few patients for one of the models.
    """
    fitted = fit(trial, params)
    return Result(
        tables=all_tables(fitted),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        provenance={
            "title": TITLE,
            "data": trial.name,
            "data_fingerprint": trial.fingerprint,
            "sensitivity": "open",
            "licence": trial.licence,
        },
    )


def fit(trial: Trial, params: Params) -> Fitted:
    """All models of a trial."""
    model = GrowthModel(
        (0, trial.highest), draws=params.n_draws, tune=params.n_tune, chains=params.n_chains
    )
    data, seed = growth_data(trial), derive(params.seed, "growth")
    patient, occasion = np.nonzero(np.isfinite(trial.scores))
    rows = patient, trial.occasions[occasion], trial.scores[patient, occasion]
    classes = derive(params.seed, "classes")
    return Fitted(
        trial=trial,
        params=params,
        at_random=model.fit(data, seed=seed, n_jobs=trial.n_jobs),
        shared=model.fit(data, dropout="shared", seed=seed, n_jobs=trial.n_jobs),
        renamed=_renamed(trial, params, model, seed),
        expected=_expected(trial, params, model),
        choice=choose(
            *rows,
            max_classes=params.max_classes,
            n_starts=params.n_starts,
            random_state=classes,
            **SHAPE,
        ),
        slopes=TrajectoryClasses(1, random_slope=True, **SHAPE).fit(*rows),
    )


def _renamed(trial: Trial, params: Params, model: GrowthModel, seed: int):
    """The growth model with the other naming of the months."""
    if params.source != "btheb":
        return None
    (other,) = set(MONTHS) - {params.months}
    moved = replace(trial, occasions=np.array([0, *MONTHS[other]], dtype=float))
    return model.fit(growth_data(moved), seed=seed, n_jobs=trial.n_jobs)


def _expected(trial: Trial, params: Params, model: GrowthModel) -> Expected:
    """What models of other patients expected of every score, fold by fold within the arms."""
    fold = np.empty(trial.n, dtype=int)
    for arm in (0, 1):
        of_arm = rng(params.seed, "folds", arm).permutation(np.flatnonzero(trial.arm == arm))
        fold[of_arm] = np.arange(len(of_arm)) % params.n_folds
    found = Expected.empty(trial.scores.shape)
    for number in range(params.n_folds):
        here = fold == number
        others = growth_data(trial.part(~here))
        fitted = model.fit(others, seed=derive(params.seed, "fold", number), n_jobs=trial.n_jobs)
        found.judge(fitted, trial, here)
    return found
