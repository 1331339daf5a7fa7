"""What is computed, before it becomes tables and sentences."""

from dataclasses import dataclass

from iesoresearch.analyses.waiting_effect import Params
from iesoresearch.analyses.waiting_effect.cases import CASES, Case, comparisons
from iesoresearch.data.metapsy import Trials
from iesoresearch.models.evidence_synthesis import (
    Posterior,
    Predicted,
    Priors,
    Restricted,
    Synthesis,
    coefficients,
    diagnose,
    new_trial,
    posterior_check,
    prior_check,
    restricted,
)
from iesoresearch.models.growth import Diagnostics, Estimate
from iesoresearch.results import Sensitivity
from iesoresearch.seeds import derive

#: Models that are held against the effects found, with the words for them.
CHECKED = {"base": "no small-study effect", "limit_error": "effect rises with SE"}


@dataclass(frozen=True)
class Evidence:
    """Comparisons with where they come from.

    Attributes
    ----------
    name, licence, sensitivity
        Of the data.
    trials
        The comparisons.
    n_jobs
        Threads to use.
    """

    name: str
    licence: str
    sensitivity: Sensitivity
    trials: Trials
    n_jobs: int = 1

    @property
    def simulated(self) -> bool:
        """Whether the truth is known."""
        return self.sensitivity == "synthetic"


@dataclass(frozen=True)
class Fitted:
    """Every synthesis, by the name of its case.

    Attributes
    ----------
    evidence, params
        What it was made from.
    posteriors, diagnostics
        Draws, and whether they can be relied on.
    coefficients
        Mean effect and, where there is one, rise with the predictor.
    new_trial
        True effect of a further trial.
    likely
        Restricted maximum likelihood.
    before
        What the priors give, with a small-study effect.
    after
        What the models in `CHECKED` give after the effects were seen.
    """

    evidence: Evidence
    params: Params
    posteriors: dict[str, Posterior]
    diagnostics: dict[str, Diagnostics]
    coefficients: dict[str, dict[str, Estimate]]
    new_trial: dict[str, Estimate]
    likely: dict[str, Restricted]
    before: tuple[Predicted, ...]
    after: dict[str, tuple[Predicted, ...]]

    def mean(self, name: str) -> Estimate:
        """Mean effect of a case."""
        return self.coefficients[name]["mean"]


def options(case: Case) -> dict:
    """Keywords of `Synthesis.fit` and `restricted`."""
    return {"small_study": case.small_study, "correlation": case.correlation}


def fit(evidence: Evidence, params: Params) -> Fitted:
    """Every synthesis.

    Raises
    ------
    DataError
        Too few trials for one of the cases.
    """
    priors, table = Priors(), evidence.trials.table
    model = Synthesis(priors, draws=params.n_draws, tune=params.n_tune, chains=params.n_chains)
    data = {case.name: comparisons(table, case) for case in CASES}
    posteriors = {
        case.name: model.fit(
            data[case.name],
            seed=derive(params.seed, case.name),
            n_jobs=evidence.n_jobs,
            **options(case),
        )
        for case in CASES
    }
    return Fitted(
        evidence=evidence,
        params=params,
        posteriors=posteriors,
        diagnostics={name: diagnose(found) for name, found in posteriors.items()},
        coefficients={name: coefficients(found, priors) for name, found in posteriors.items()},
        new_trial={name: new_trial(found, priors) for name, found in posteriors.items()},
        likely={case.name: restricted(data[case.name], **options(case)) for case in CASES},
        before=prior_check(data["base"], priors, params.seed, small_study="error"),
        after={name: posterior_check(posteriors[name], params.seed) for name in CHECKED},
    )
