"""Trials with a known truth, in the form of the published table."""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting_effect import Params
from iesoresearch.analyses.waiting_effect.cases import OTHER, USUAL, WAITING
from iesoresearch.data.metapsy import Trials
from iesoresearch.models.evidence_synthesis import draw_effects
from iesoresearch.seeds import rng

#: Planted mean effect of every kind of control as a part of that against a waiting list, and how
#: many trials there are for one with a waiting list.
KINDS = {WAITING: (1.0, 1.0), USUAL: (0.7, 1.0), OTHER: (0.6, 0.5)}
_TYPES = {"Cognitive Behavior Therapy": 0.55, "Problem-Solving Therapy": 0.2, "Other": 0.25}
_FORMATS = {"Individual": 0.35, "Group": 0.4, "Guided Self-Help": 0.25}
_COMPARISONS = {1: 0.72, 2: 0.2, 3: 0.08}  # of a trial
_FEWEST, _SHAPE, _SCALE = 10, 1.2, 25.0  # patients of a group: fewest, and gamma above it


def trials(params: Params) -> Trials:
    """Trials of every kind of control, drawn as `params` plant them.

    The standard error comes from the sizes of the groups alone, so that it does not depend on the
    effect.
    """
    parts = [_of_control(params, control) for control in KINDS]
    planted = f"{params.planted_mean}:{params.planted_rise}"
    spread = f"{params.planted_between}:{params.planted_within}"
    name = f"simulated:{params.n_trials}:{params.seed}:{planted}:{spread}"
    return Trials(pl.concat(parts), 0, name, False)


def _of_control(params: Params, control: str) -> pl.DataFrame:
    random, (part, number) = rng(params.seed, "trials", control), KINDS[control]

    def choose(among: dict, size: int) -> np.ndarray:
        return random.choice(list(among), size, p=list(among.values()))

    n_trials = int(number * params.n_trials)
    trial = np.repeat(np.arange(n_trials), choose(_COMPARISONS, n_trials))
    groups = _FEWEST + random.gamma(_SHAPE, _SCALE, (2, n_trials)).astype(int)[:, trial]
    error = np.sqrt((1 / groups).sum(axis=0))
    effect = draw_effects(
        random, error, trial,
        mean=part * params.planted_mean + params.planted_rise * error,
        between=params.planted_between, within=params.planted_within,
    )  # fmt: skip
    names = [f"{control} {number + 1}" for number in trial]
    return pl.DataFrame(
        {
            "study": names,
            "g": effect,
            "SE": error,
            "year": random.integers(1990, 2020, n_trials)[trial],
            "n_intervention": groups[0],
            "n_control": groups[1],
            "type": choose(_TYPES, len(trial)),
            "format": choose(_FORMATS, len(trial)),
            "control_type": control,
            "country": "nowhere",
            "quality_criteria": random.integers(0, 5, n_trials)[trial],
            "trial": names,
        }
    )
