"""What `recovery_trial` computes once and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.analyses.recovery_trial import Params, regressions
from iesoresearch.analyses.recovery_trial.expected import Expected
from iesoresearch.analyses.recovery_trial.leavers import Leavers
from iesoresearch.data.trials import Trial
from iesoresearch.models.growth import (
    Diagnostics,
    GrowthData,
    GrowthFit,
    PosteriorCheck,
    PriorCheck,
    diagnose,
    posterior_check,
    prior_check,
)
from iesoresearch.models.trajectories import Choice, TrajectoryClasses
from iesoresearch.seeds import derive

ARM = "arm"
Z95 = 1.959963984540054


def growth_data(trial: Trial) -> GrowthData:
    """Scores of a trial for the growth model; the arm cannot move scores at the start."""
    patient, occasion = np.nonzero(np.isfinite(trial.scores))
    return GrowthData.of(
        trial.scores[patient, occasion],
        trial.occasions[occasion],
        patient,
        covariates=trial.covariates,
        names=(ARM, *trial.known),
        rate_only=(ARM,),
        dropped_out=trial.left,
        occasions=trial.occasions,
    )


@dataclass(frozen=True)
class Fitted:
    """All models of a trial.

    Attributes
    ----------
    trial, params
        What was asked of whom.
    at_random, shared
        Growth model with scores missing at random, and with drop-out depending on the patient.
    renamed
        Missing at random, with the other naming of the months; None where there is one only.
    expected
        Of every score, what was expected of it by a model of other patients.
    choice, slopes
        Trajectory classes; a single class whose patients differ in slope.
    """

    trial: Trial
    params: Params
    at_random: GrowthFit
    shared: GrowthFit
    renamed: GrowthFit | None
    expected: Expected
    choice: Choice
    slopes: TrajectoryClasses

    @property
    def known(self) -> np.ndarray:
        """(patients, features) what else was known at the start."""
        return self.trial.covariates[:, 1:]

    @cached_property
    def leavers(self) -> Leavers:
        """Difference at the last occasion if those who left were worse than the model says."""
        effect = self.at_random.flat("rate_effect")[:, 0]  # the arm is the first covariate
        return Leavers.of(self.trial, effect, derive(self.params.seed, "leavers"))

    @cached_property
    def diagnostics(self) -> dict[str, Diagnostics]:
        """Of every growth model of all patients, by name."""
        fits = {"missing at random": self.at_random, "shared parameters": self.shared}
        if self.renamed is not None:
            fits["other months"] = self.renamed
        return {name: diagnose(fit) for name, fit in fits.items()}

    @cached_property
    def before(self) -> PriorCheck:
        """What the priors let expect."""
        seed = derive(self.params.seed, "prior")
        return prior_check(self.at_random.data, self.at_random.priors, seed=seed)

    @cached_property
    def after(self) -> PosteriorCheck:
        """Scores beside those that the fitted model gives to the same patients."""
        return posterior_check(self.at_random)

    @property
    def misfit(self) -> np.ndarray:
        """(2, occasions) how far means and SDs are from those of `after`, in SDs of the draws."""
        return np.stack(
            [
                (found.observed - found.x) / ((found.x_high - found.x_low) / (2 * Z95))
                for found in (self.after.mean, self.after.sd)
            ]
        )

    @property
    def first_score(self) -> float:
        """Of the new patient who is shown: the mean of all first scores, in whole points."""
        return float(np.rint(self.trial.scores[:, 0].mean()))

    @cached_property
    def ancova(self) -> regressions.Difference:
        """Among those with a last score."""
        return regressions.ancova(self.trial.scores, self.trial.arm, self.known, self.trial.name)

    @cached_property
    def sequential(self) -> list[regressions.Difference]:
        """At every later occasion: missing at random, without a shape of the curves."""
        scores, arm = self.trial.scores, self.trial.arm
        return regressions.sequential(scores, arm, self.known, self.trial.name)

    @property
    def end(self) -> float:
        """Time of the last occasion."""
        return float(self.trial.occasions[-1])
