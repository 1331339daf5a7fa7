"""What can be said of a model only with the pipeline that makes it at hand.

Every part fits clones of the whole pipeline, tuning and all; `validate` does them all. Predictions
that are given are judged by `iesoresearch.models.evaluation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from iesoresearch.models.validation.correction import Optimism, optimism
from iesoresearch.models.validation.learning import LearningCurve, learning_curve
from iesoresearch.models.validation.performance import THRESHOLDS
from iesoresearch.models.validation.refits import Refits, refit
from iesoresearch.models.validation.services import InternalExternal, internal_external
from iesoresearch.models.validation.stability import Instability, instability

__all__ = [
    "THRESHOLDS",
    "Instability",
    "InternalExternal",
    "LearningCurve",
    "Optimism",
    "Refits",
    "Validation",
    "instability",
    "internal_external",
    "learning_curve",
    "optimism",
    "refit",
    "validate",
]


@dataclass(frozen=True)
class Validation:
    """All that was found.

    Attributes
    ----------
    optimism, instability
        From the same refits.
    services
        None where no services were given.
    learning
        None where none was asked for.
    """

    optimism: Optimism
    instability: Instability
    services: InternalExternal | None
    learning: LearningCurve | None


def validate(
    pipeline,
    X,
    y,
    *,
    clusters=None,
    services=None,
    n_boot: int = 200,
    random_state: int = 0,
    n_jobs: int = 1,
    thresholds: Sequence[float] = THRESHOLDS,
    n_repeats: int = 10,
) -> Validation:
    """Validate the way a model is made: optimism, instability, other services, more patients.

    Parameters
    ----------
    pipeline, X, y, clusters, n_boot, random_state, n_jobs
        As in `refit`.
    services
        (rows,) labels, for `internal_external`; without, that part is left out.
    thresholds
        Of net benefit and of classes.
    n_repeats
        Of the `learning_curve`; 0 leaves it out.

    Raises
    ------
    DataError, ParameterError
        As the parts do.
    """
    refits = refit(
        pipeline, X, y, clusters=clusters, n_boot=n_boot, random_state=random_state, n_jobs=n_jobs
    )
    others = learning = None
    if services is not None:
        others = internal_external(pipeline, X, y, services, clusters, n_jobs=n_jobs)
    if n_repeats:
        learning = learning_curve(
            pipeline, X, y, clusters, repeats=n_repeats, random_state=random_state, n_jobs=n_jobs
        )
    return Validation(
        optimism(refits, thresholds), instability(refits, thresholds), others, learning
    )
