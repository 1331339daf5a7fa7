"""How `subtypes_transfer` is computed: load, fit in one sample, carry over to the other."""

import numpy as np

from iesoresearch.analyses.subtypes_transfer import Params
from iesoresearch.analyses.subtypes_transfer.fitted import Fitted, statistics
from iesoresearch.analyses.subtypes_transfer.samples import Data
from iesoresearch.analyses.subtypes_transfer.tables import all_tables, summary
from iesoresearch.analyses.subtypes_transfer.words import FIGURES, checks, numbers, text
from iesoresearch.data import locate, nhanes
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, SeverityLadder, selection
from iesoresearch.models.bootstrap import bootstrap
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

__all__ = ["load", "run", "summary"]

TITLE = "Depressive states carried over to other people"
TOL = 1e-8  # relative gain in log-likelihood at which EM stops
TOL_HELD_OUT = 1e-7  # the same where only predictions are needed: refits on folds, and ladders
FEW_STARTS = 3  # random starts of those
N_FOLDS = 5  # of the new sample, for the refit
RUNGS = (2, 4, 6, 8, 10)  # of the ladders that are compared
PEOPLE_PER_RUNG = 10  # fewer, and a ladder is not tried


def load(params: Params, settings: Settings) -> Data:
    """Answers of the cycles to fit in and of the one to assign in, nobody in both.

    Raises
    ------
    ParameterError
        A name is no cycle.
    DataError
        A cycle is absent or damaged.
    """
    path = settings.search_path
    old = nhanes.load(tuple(params.fit_cycles), path)
    new = nhanes.load((params.assign_cycle,), path)
    fingerprint = locate.fingerprint(params.source, path, **params.survey)
    return Data.of(old, new, derive(params.seed, "samples"), fingerprint, settings.n_jobs)


def run(data: Data, params: Params) -> Result:
    """Fit, choose, carry over, refit, compare.

    Raises
    ------
    DataError
        More states than the data can carry.
    """
    fitted = fit(data, params)
    return Result(
        tables=all_tables(fitted),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        provenance={
            "title": TITLE,
            "data": f"{data.fit_name}; assigned: {data.new_name}",
            "data_fingerprint": data.fingerprint,
            "sensitivity": data.sensitivity,
            "licence": data.licence,
        },
    )


def fit(data: Data, params: Params) -> Fitted:
    """All models and bootstraps."""

    def estimator(kind: type[LatentMarkov], k: int, *names: str, **more) -> LatentMarkov:
        seed = derive(params.seed, kind.__name__, *names, k)
        settings = {"n_starts": params.n_starts, "tol": TOL} | more
        return kind(
            k, n_categories=PHQ9.n_categories, random_state=seed, n_jobs=data.n_jobs, **settings
        )

    quick = {"n_starts": min(FEW_STARTS, params.n_starts), "tol": TOL_HELD_OUT}
    models = {
        k: estimator(LatentMarkov, k).fit(data.fit_items) for k in range(1, params.max_states + 1)
    }
    best = min(models, key=lambda k: getattr(models[k], f"{params.criterion}_"))
    chosen = params.n_states or best
    refit = estimator(LatentMarkov, chosen, "refit").fit(data.new_items)
    return Fitted(
        data=data,
        models=models,
        chosen=chosen,
        by_hand=params.n_states is not None,
        ladders={
            rungs: estimator(SeverityLadder, rungs, **quick).fit(data.fit_items)
            for rungs in RUNGS
            if rungs == RUNGS[0] or rungs * PEOPLE_PER_RUNG <= len(data.fit_items)
        },
        refit=refit,
        refit_held_out=selection.held_out_log_likelihood(
            estimator(LatentMarkov, chosen, "folds", **quick),
            data.new_items,
            n_folds=N_FOLDS,
            seed=derive(params.seed, "folds"),
        ),
        draws=_draws(models[chosen], data.fit_items, params, "fitted"),
        new_draws=_draws(refit, data.new_items, params, "new"),
    )


def _draws(model: LatentMarkov, items: np.ndarray, params: Params, name: str) -> dict:
    found = bootstrap(
        model,
        items,
        n_bootstrap=params.n_bootstrap,
        seed=derive(params.seed, "bootstrap", name),
        statistics=statistics,
    )
    return found.statistics
