"""How `subtypes` is computed: load, fit, choose, compare."""

import numpy as np

from iesoresearch.analyses.subtypes import Params
from iesoresearch.analyses.subtypes.fitted import Data, Fitted, statistics
from iesoresearch.analyses.subtypes.tables import all_tables
from iesoresearch.analyses.subtypes.words import FIGURES, checks, numbers, text
from iesoresearch.data import sources
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, SeverityLadder, selection
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

TITLE = "Depressive states and moves between them"
TOL = 1e-8  # relative gain in log-likelihood at which EM stops
TOL_HELD_OUT = 1e-7  # the same where only predictions are needed: refits on folds, and ladders
FEW_STARTS = 3  # random starts of those; ladders have hardly any local maxima
RUNGS = (4, 6, 8)  # ladders that are compared


def load(params: Params, settings: Settings) -> Data:
    """Cohort and PHQ-9 answers of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent, breaks the schema, or holds no PHQ-9 answer.
    """
    cohort = sources.load(params.source, settings.search_path, params.n_patients, params.seed)
    return Data(cohort, cohort.sequences(PHQ9), settings.n_jobs)


def run(data: Data, params: Params) -> Result:
    """Fit every number of states and the ladders, choose, and bootstrap the model chosen.

    Raises
    ------
    DataError
        More states than the data can carry.
    """
    sequences = data.sequences
    models = {
        k: _estimator(LatentMarkov, k, data, params, n_starts=params.n_starts, tol=TOL)
        for k in range(1, params.max_states + 1)
    }
    ladders = {
        rungs: _estimator(
            SeverityLadder, rungs, data, params, n_starts=FEW_STARTS, tol=TOL_HELD_OUT
        )
        for rungs in RUNGS
    }
    for model in [*models.values(), *ladders.values()]:
        model.fit(sequences.items, sequences.lengths)
    chosen = params.n_states or min(
        models, key=lambda k: getattr(models[k], f"{params.criterion}_")
    )
    draws = selection.bootstrap(
        models[chosen],
        sequences.items,
        sequences.lengths,
        n_bootstrap=params.n_bootstrap,
        seed=derive(params.seed, "bootstrap"),
        statistics=statistics,
    )
    fitted = Fitted(
        data=data,
        models=models,
        held_out={k: _held_out(model, data, params) for k, model in models.items()},
        ladders=ladders,
        ladders_held_out={r: _held_out(ladder, data, params) for r, ladder in ladders.items()},
        chosen=chosen,
        draws=draws,
    )
    tables = all_tables(fitted)
    return Result(
        tables=tables,
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures={name: spec for name, spec in FIGURES.items() if spec.table in tables},
        not_applicable={
            name: f"{spec.title}: not applicable, everybody was seen once."
            for name, spec in FIGURES.items()
            if spec.table not in tables
        },
        provenance={
            "title": TITLE,
            "data": data.cohort.name,
            "data_fingerprint": data.cohort.fingerprint,
            "sensitivity": data.sensitivity,
            "licence": data.cohort.licence,
        },
    )


def _estimator(kind: type[LatentMarkov], k: int, data: Data, params: Params, **settings):
    return kind(
        k,
        n_categories=PHQ9.n_categories,
        random_state=derive(params.seed, kind.__name__, k),
        n_jobs=data.n_jobs,
        **settings,
    )


def _held_out(model: LatentMarkov, data: Data, params: Params) -> np.ndarray:
    refit = {"n_starts": min(FEW_STARTS, params.n_starts), "tol": TOL_HELD_OUT}
    return selection.held_out_log_likelihood(
        type(model)(**model.get_params() | refit),
        data.sequences.items,
        data.sequences.lengths,
        n_folds=params.n_folds,
        seed=derive(params.seed, "folds"),
    )
