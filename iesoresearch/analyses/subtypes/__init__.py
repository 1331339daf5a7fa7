"""Which depressive states exist, and how do people move between them?

A latent Markov model of the nine PHQ-9 items over sessions (one occasion: a latent class model)
for every number of states up to a limit, beside the ladder on which states differ in severity only.
"""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from iesoresearch.analyses.subtypes.fitted import Data, Fitted, statistics
from iesoresearch.analyses.subtypes.tables import all_tables, summary
from iesoresearch.analyses.subtypes.words import FIGURES, checks, numbers, text
from iesoresearch.data import nhanes, synthetic
from iesoresearch.data.sources import from_folder
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, SeverityLadder, selection
from iesoresearch.params import AnalysisParams, Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

__all__ = ["FIGURES", "Params", "load", "run", "summary"]

TITLE = "Depressive states and how people move between them"
TOL = 1e-8  # relative gain in log-likelihood at which EM stops
TOL_HELD_OUT = 1e-7  # the same where only predictions are needed: refits on folds, and ladders
FEW_STARTS = 3  # random starts of those; ladders have hardly any local maxima
RUNGS = (4, 6, 8)  # ladders that are compared


class Params(AnalysisParams):
    """Parameters of `subtypes`. The defaults are a demonstration that takes seconds."""

    source: Literal["nhanes", "synthetic", "folder"] = Field(
        "nhanes", description="nhanes (real, one occasion), synthetic, or folder (--data DIR)"
    )
    n_patients: int = Field(
        2000, ge=1, le=1_000_000, description="patients to draw, synthetic only (1 to 1,000,000)"
    )
    max_states: int = Field(4, ge=1, le=20, description="largest number of states (1 to 20)")
    n_states: int | None = Field(
        None, ge=1, le=20, description="states shown in detail; None: lowest criterion"
    )
    criterion: Literal["bic", "bic_observations", "icl", "aic"] = Field(
        "bic", description="bic (n = people), bic_observations (n = sessions), icl or aic"
    )
    n_starts: int = Field(10, ge=1, le=1000, description="random starts per number of states")
    n_folds: int = Field(5, ge=2, le=20, description="folds of people for held-out likelihood")
    n_bootstrap: int = Field(40, ge=20, le=10_000, description="bootstrap samples of people")
    seed: int = Field(1, ge=0, description="seed of every random draw")

    @model_validator(mode="after")
    def _states_within_range(self):
        if self.n_states is not None and self.n_states > self.max_states:
            raise ValueError(
                f"n_states={self.n_states} is beyond max_states={self.max_states}: raise "
                "max_states or lower n_states"
            )
        return self


def load(params: Params, settings: Settings) -> Data:
    """Cohort and PHQ-9 answers of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent, breaks the schema, or holds no PHQ-9 answer.
    """
    if params.source == "nhanes":
        cohort = nhanes.load()
    elif params.source == "synthetic":
        cohort = synthetic.make(params.n_patients, params.seed)
    else:
        cohort = from_folder(settings.search_path)
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
        provenance={
            "title": TITLE,
            "data": data.cohort.name,
            "data_fingerprint": data.cohort.fingerprint,
            "sensitivity": data.sensitivity,
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
