"""How many trajectory classes."""

from dataclasses import dataclass

from iesoresearch.errors import ParameterError
from iesoresearch.models.trajectories.classes import TrajectoryClasses

CRITERIA = ("bic", "icl")


@dataclass(frozen=True)
class Choice:
    """Models with 1, 2, … classes, and the one that is chosen.

    Attributes
    ----------
    models
        In order of their number of classes.
    chosen
        The one with the lowest criterion among those without a degenerate class.
    criterion
        "bic" or "icl".
    """

    models: tuple[TrajectoryClasses, ...]
    chosen: TrajectoryClasses
    criterion: str


def choose(
    patient, time, score, *, max_classes: int = 5, criterion: str = "bic", **options
) -> Choice:
    """Fit 1 to `max_classes` classes and choose.

    Parameters
    ----------
    patient, time, score
        As for `TrajectoryClasses.fit`.
    max_classes
        At least 1.
    criterion
        "bic", or "icl", which asks for classes that are told apart well.
    **options
        Of `TrajectoryClasses`, but for the number of classes.

    Raises
    ------
    ParameterError
        An argument is out of bounds.
    DataError
        See `TrajectoryClasses.fit`.
    """
    if criterion not in CRITERIA or max_classes < 1:
        raise ParameterError(
            f"criterion={criterion!r} must be one of {', '.join(CRITERIA)} and "
            f"max_classes={max_classes!r} at least 1."
        )
    models = tuple(
        TrajectoryClasses(k, **options).fit(patient, time, score) for k in range(1, max_classes + 1)
    )
    sound = [model for model in models if not model.degenerate_] or models[:1]
    return Choice(models, min(sound, key=lambda m: getattr(m, f"{criterion}_")), criterion)
