"""Fit every number of states, choose one, and ask of it what has to be asked."""

import numpy as np

from iesoresearch.analyses.subtypes import Params
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.fitted import Fitted, Quality, Statistics
from iesoresearch.analyses.subtypes.people import characteristics
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, selection, survey
from iesoresearch.models.bootstrap import bootstrap
from iesoresearch.models.likelihood_ratio import likelihood_ratio_test
from iesoresearch.models.residuals import bivariate_residuals
from iesoresearch.models.severity import RUNGS, severity_question
from iesoresearch.models.stability import other_methods, split_half
from iesoresearch.seeds import derive

TOL = 1e-8  # relative gain in log-likelihood at which EM stops
TOL_HELD_OUT = 1e-7  # the same where only predictions are needed: refits on folds and halves
MOST_RUNGS = 14  # beyond those of `severity`, for cohorts larger than those of its study
PEOPLE_PER_RUNG = 10  # fewer, and a ladder is not tried
FEW_STARTS = 3  # random starts of those
#: Items of the PHQ-9 that go together beyond severity, from 0: interest and mood, sleep and energy
#: (767 depressed people in primary care, pb.rcpsych.org/content/40/5/237), mood and self-worth
#: (3,398 people online, scielo.br/j/rbp/a/xpR4qBrTMF53TNnL88Hwpvr).
PAIRS = ((0, 1), (2, 3), (1, 5))


def fit(data: Data, params: Params) -> Fitted:
    """Models of every number of states, the one chosen, and kind or severity."""
    sequences = data.sequences
    models = {
        k: LatentMarkov(
            k, n_categories=PHQ9.n_categories, n_starts=params.n_starts, tol=TOL,
            random_state=derive(params.seed, "LatentMarkov", k), n_jobs=data.n_jobs,
        ).fit(sequences.items, sequences.lengths, weights=data.weights)
        for k in range(1, params.max_states + 1)
    }  # fmt: skip
    held_out = {k: _held_out(model, data, params) for k, model in models.items()}
    chosen = params.n_states or _best(models, held_out, data, params)
    severity = severity_question(
        sequences.items, sequences.lengths, n_categories=PHQ9.n_categories, seed=params.seed,
        n_states=chosen, rungs=_rungs(data), dependent_pairs=PAIRS,
        weights=data.weights, units=data.units,
        n_folds=params.n_folds, n_splits=params.n_splits, n_starts=FEW_STARTS, tol=TOL_HELD_OUT,
        n_jobs=data.n_jobs,
    )  # fmt: skip
    return Fitted(
        data=data,
        people=characteristics(data),
        models=models,
        held_out=held_out,
        severity=severity,
        chosen=chosen,
        by_hand=params.n_states is not None,
    )


def _rungs(data: Data) -> list[int]:
    """Lengths of the ladders to compare, as far as there are people for."""
    return [r for r in (*RUNGS, MOST_RUNGS) if r * PEOPLE_PER_RUNG <= data.n_people] or [2]


def _best(models, held_out, data: Data, params: Params) -> int:
    """Number of states with the best criterion; with weights that is held-out likelihood."""
    if params.criterion == "held_out" or data.weights is not None:
        return max(models, key=lambda k: data.counting @ held_out[k])
    return min(models, key=lambda k: getattr(models[k], f"{params.criterion}_"))


def _held_out(model: LatentMarkov, data: Data, params: Params) -> np.ndarray:
    """Log-likelihood of every person, on the folds of `severity_question`."""
    refit = {"n_starts": min(FEW_STARTS, params.n_starts), "tol": TOL_HELD_OUT}
    folds = selection.folds_of(
        data.n_people, params.n_folds, derive(params.seed, "folds"), data.units
    )
    return selection.held_out_log_likelihood(
        LatentMarkov(**model.get_params() | refit), data.sequences.items, data.sequences.lengths,
        folds=folds, weights=data.weights,
    )  # fmt: skip


def quality(fitted: Fitted, params: Params) -> Quality:
    """Resamples, halves, other methods, and one state fewer."""
    data, model = fitted.data, fitted.model
    items, lengths = data.sequences.items, data.sequences.lengths
    few = {"n_starts": FEW_STARTS, "tol": TOL_HELD_OUT}
    test = None
    if params.n_likelihood_ratio and fitted.chosen > 1 and data.weights is None:
        test = likelihood_ratio_test(
            fitted.models[fitted.chosen - 1], items, lengths, n_starts=FEW_STARTS,
            n_bootstrap=params.n_likelihood_ratio, seed=derive(params.seed, "likelihood ratio"),
        )  # fmt: skip
    return Quality(
        replicates=bootstrap(
            model, items, lengths, n_bootstrap=params.n_bootstrap, n_starts=FEW_STARTS,
            seed=derive(params.seed, "bootstrap"), multipliers=_multipliers(data, params),
            statistics=Statistics(data, fitted.people, fitted.severity),
        ),
        halves=split_half(
            LatentMarkov(**model.get_params() | few), items, lengths, n_splits=params.n_splits,
            seed=derive(params.seed, "halves"), weights=data.weights, units=data.units,
        ),
        methods=other_methods(
            items, model.predict(items, lengths), fitted.chosen,
            seed=derive(params.seed, "other methods"),
        ),
        residuals=bivariate_residuals(model, items, lengths, weights=data.weights),
        test=test,
    )  # fmt: skip


def _multipliers(data: Data, params: Params):
    """Replicate weights of a survey; None where people are drawn one by one."""
    if data.weights is None:
        return None
    strata, units = data.design
    seed = derive(params.seed, "survey")
    return lambda b: data.weights * survey.rescaling_bootstrap(strata, units, derive(seed, b))
