"""How `subtypes` is computed: load, fit, choose, compare."""

from dataclasses import replace

import numpy as np

from iesoresearch.analyses.subtypes import Params
from iesoresearch.analyses.subtypes.carried import write_model
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.fitted import Fitted, Quality, Statistics
from iesoresearch.analyses.subtypes.people import characteristics
from iesoresearch.analyses.subtypes.tables import all_tables, summary
from iesoresearch.analyses.subtypes.variants import variants
from iesoresearch.analyses.subtypes.words import FIGURES, checks, numbers, text
from iesoresearch.data import sources
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, SeverityLadder, selection
from iesoresearch.models.bootstrap import bootstrap
from iesoresearch.models.likelihood_ratio import likelihood_ratio_test
from iesoresearch.models.stability import other_methods, split_half
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

__all__ = ["load", "run", "summary"]

TITLE = "Depressive states and moves between them"
TOL = 1e-8  # relative gain in log-likelihood at which EM stops
TOL_HELD_OUT = 1e-7  # the same where only predictions are needed: refits on folds, and ladders
FEW_STARTS = 3  # random starts of those; ladders have hardly any local maxima
RUNGS = (2, 4, 6, 8, 10)  # of the ladders that are compared
PEOPLE_PER_RUNG = 10  # fewer, and a ladder is not tried


def load(params: Params, settings: Settings) -> Data:
    """Cohort and PHQ-9 answers of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent, breaks the schema, or holds no PHQ-9 answer.
    """
    cohort = sources.load(
        params.source, settings.search_path, params.n_patients, params.seed, **params.survey
    )
    return Data(cohort, cohort.sequences(PHQ9), settings.n_jobs)


def run(data: Data, params: Params) -> Result:
    """Fit every number of states and the ladders, choose, and bootstrap the model chosen.

    Raises
    ------
    DataError
        More states than the data can carry.
    """
    fitted = _fit(data, params)
    others = () if fitted.model.one_occasion_ else tuple(variants(fitted.model, data))
    return _result(replace(fitted, quality=_quality(fitted, params), variants=others))


def _quality(fitted: Fitted, params: Params) -> Quality:
    data, model = fitted.data, fitted.model
    items, lengths = data.sequences.items, data.sequences.lengths
    test = None
    if params.n_likelihood_ratio and fitted.chosen > 1:
        test = likelihood_ratio_test(
            fitted.models[fitted.chosen - 1], items, lengths, n_starts=FEW_STARTS,
            n_bootstrap=params.n_likelihood_ratio, seed=derive(params.seed, "likelihood ratio"),
        )  # fmt: skip
    refit = LatentMarkov(**model.get_params() | {"n_starts": FEW_STARTS, "tol": TOL_HELD_OUT})
    return Quality(
        replicates=bootstrap(
            model, items, lengths, n_bootstrap=params.n_bootstrap, n_starts=FEW_STARTS,
            seed=derive(params.seed, "bootstrap"),
            statistics=Statistics(data, fitted.people, fitted.ladders[fitted.rungs]),
        ),
        halves=split_half(
            refit, items, lengths, n_splits=params.n_splits, seed=derive(params.seed, "halves")
        ),
        methods=other_methods(
            items, model.predict(items, lengths), fitted.chosen,
            seed=derive(params.seed, "other methods"),
        ),
        test=test,
    )  # fmt: skip


def _fit(data: Data, params: Params) -> Fitted:
    models = {
        k: _estimator(LatentMarkov, k, data, params, n_starts=params.n_starts, tol=TOL)
        for k in range(1, params.max_states + 1)
    }
    ladders = {
        rungs: _estimator(
            SeverityLadder, rungs, data, params, n_starts=FEW_STARTS, tol=TOL_HELD_OUT
        )
        for rungs in RUNGS
        if rungs == RUNGS[0] or rungs * PEOPLE_PER_RUNG <= data.n_people
    }
    for model in [*models.values(), *ladders.values()]:
        model.fit(data.sequences.items, data.sequences.lengths)
    best = min(models, key=lambda k: getattr(models[k], f"{params.criterion}_"))
    return Fitted(
        data=data,
        people=characteristics(data),
        models=models,
        held_out={k: _held_out(model, data, params) for k, model in models.items()},
        ladders=ladders,
        ladders_held_out={r: _held_out(ladder, data, params) for r, ladder in ladders.items()},
        chosen=params.n_states or best,
        by_hand=params.n_states is not None,
    )


def _result(fitted: Fitted) -> Result:
    tables, cohort = all_tables(fitted), fitted.data.cohort
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
        documents={"model.json": write_model},
        provenance={
            "title": TITLE,
            "data": cohort.name,
            "data_fingerprint": cohort.fingerprint,
            "sensitivity": cohort.sensitivity,
            "licence": cohort.licence,
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
