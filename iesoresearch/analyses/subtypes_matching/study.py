"""How `subtypes_matching` is computed: load, find subtypes, score, compare."""

from iesoresearch.analyses.subtypes_matching import Params
from iesoresearch.analyses.subtypes_matching.fitted import FEWEST_IN_CELL, Fitted, cells
from iesoresearch.analyses.subtypes_matching.patients import Patients, drawn, of_cohort
from iesoresearch.analyses.subtypes_matching.tables import all_tables, summary
from iesoresearch.analyses.subtypes_matching.words import FIGURES, checks, numbers, text
from iesoresearch.data import sources
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, heterogeneity
from iesoresearch.params import Settings
from iesoresearch.results import Result
from iesoresearch.seeds import derive

__all__ = ["fit", "load", "run", "summary"]

TITLE = "Which therapy suits whom"
TOL = 1e-7  # relative gain in log-likelihood at which EM stops


def load(params: Params, settings: Settings) -> Patients:
    """Patients of the source that `params` name.

    Raises
    ------
    DataError
        The source is absent or breaks the schema, or too few patients had one of the therapies.
    ParameterError
        An unknown therapy, or an effect that cannot be planted.
    """
    if params.source == "synthetic":
        return drawn(params, settings.n_jobs)
    cohort = sources.load(params.source, settings.search_path, params.n_patients, params.seed)
    return of_cohort(cohort, (params.first_therapy, params.second_therapy), settings.n_jobs)


def run(patients: Patients, params: Params) -> Result:
    """Everything that is computed.

    Raises
    ------
    DataError
        No grouping leaves enough patients with each therapy in every subtype.
    """
    fitted = fit(patients, params)
    return Result(
        tables=all_tables(fitted),
        numbers=numbers(fitted),
        checks=checks(fitted),
        text=text(fitted),
        figures=FIGURES,
        provenance={
            "title": TITLE,
            "data": patients.name,
            "data_fingerprint": patients.fingerprint,
            "sensitivity": patients.sensitivity,
            "licence": patients.licence,
        },
    )


def fit(patients: Patients, params: Params) -> Fitted:
    """Subtypes from the first answers alone; scores from everything known at the start."""
    model = _subtypes(patients, params)
    scores = heterogeneity.cross_fit(
        patients.matrix,
        patients.treatment,
        patients.outcome,
        n_folds=params.n_folds,
        seed=derive(params.seed, "scores"),
    )
    return Fitted(patients, model, model.predict_proba(patients.items), scores)


def _subtypes(patients: Patients, params: Params) -> LatentMarkov:
    """The latent class model with the lowest BIC among those without too small a subtype."""
    tried = [params.n_subtypes] if params.n_subtypes else range(2, params.max_subtypes + 1)
    models = []
    for k in tried:
        model = LatentMarkov(
            k,
            n_categories=PHQ9.n_categories,
            n_starts=params.n_starts,
            tol=TOL,
            random_state=derive(params.seed, "subtypes", k),
            n_jobs=patients.n_jobs,
        ).fit(patients.items)
        found = cells(model.predict_proba(patients.items), patients.treatment)
        if found.min() >= FEWEST_IN_CELL:
            models.append(model)
    if not models:
        raise DataError(
            f"{patients.name}: with {tried[0]} or more subtypes, one of them has fewer than "
            f"{FEWEST_IN_CELL} patients with one of the therapies, so its effect cannot be "
            "estimated. Ask for fewer subtypes (n_subtypes) or bring more data."
        )
    return min(models, key=lambda model: model.bic_)
