"""What `recovery_paths` computes once, and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_paths import Params
from iesoresearch.analyses.recovery_paths.flags import (
    BAND,
    CURRENT,
    MODEL,
    RULES,
    Flags,
    flagged,
)
from iesoresearch.analyses.recovery_paths.patients import Patients
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import OFFICIAL, wilson
from iesoresearch.models import signals, trajectories
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.growth import Estimate as Posterior
from iesoresearch.models.growth import GrowthData, GrowthFit, GrowthModel
from iesoresearch.models.growth.checks import (
    PosteriorCheck,
    PriorCheck,
    posterior_check,
    prior_check,
)
from iesoresearch.models.growth.curves import Assumed, Curve, mean_curve
from iesoresearch.models.growth.diagnostics import Diagnostics, diagnose
from iesoresearch.models.growth.prediction import expected_response
from iesoresearch.models.trajectories import Choice
from iesoresearch.seeds import derive

CHAINS = 4
CASENESS = next(row.caseness for row in OFFICIAL.rows if row.scale == PHQ9.code)
SCALE = (0.0, float(PHQ9.highest))
DETERIORATED = "reliable deterioration by the last score"
HARM = "thoughts of self-harm reported at the first answer to item 9"
NEW_HARM = "such thoughts reported at a later answer, not at the first"
RANDOM, SHARED = "missing at random", "shared-parameter drop-out"


@dataclass(frozen=True)
class Fitted:
    """All that is computed, each part when it is first asked for."""

    patients: Patients
    params: Params

    @property
    def sensitivity(self) -> str:
        """Of the data."""
        return self.patients.cohort.sensitivity

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return self.params.outcome.replace("_", " ")

    @cached_property
    def sampled(self) -> np.ndarray:
        """(patients,) whom the growth model is fitted to; flags are judged on the others."""
        return self.patients.sample(self.params.n_growth, self.params.seed)

    @cached_property
    def people(self) -> pl.DataFrame:
        """Whom the growth model is fitted to, in the order of its patients."""
        return self.patients.people.filter(pl.Series(self.sampled))

    @cached_property
    def growth_data(self) -> GrowthData:
        """Scores of the growth model."""
        who = self.people.select("person").with_row_index("i")
        scores = self.patients.scores.join(who, on="person", how="inner", maintain_order="left")
        levels = self.patients.has_therapists, self.patients.has_services
        therapist, service = (
            self._codes(unit) if known else None
            for unit, known in zip(("therapist", "service"), levels, strict=True)
        )
        left = self.patients.left.filter(pl.Series(self.sampled))
        return GrowthData.of(
            scores["phq9"].to_numpy(),
            scores["time"].to_numpy(),
            scores["i"].cast(pl.Int64).to_numpy(),
            therapist=therapist,
            service=service,
            dropped_out=left.to_numpy() if self.patients.knows_who_left else None,
            occasions=np.arange(self.params.n_sessions + 1.0),
        )

    def _codes(self, unit: str) -> np.ndarray | None:
        """Therapists or services numbered; None where each has one patient only."""
        names = self.people[unit]
        if names.n_unique() == len(names):
            return None
        return np.unique(names.to_numpy(), return_inverse=True)[1]

    @cached_property
    def growth(self) -> dict[str, GrowthFit]:
        """Growth models by how drop-out is handled; the second where it is known who left."""
        model = GrowthModel(SCALE, draws=self.params.n_draws, tune=self.params.n_draws,
                            chains=CHAINS)  # fmt: skip
        ways = {RANDOM: "random"}
        if self.patients.knows_who_left and self.growth_data.left.any():
            ways[SHARED] = "shared"
        seed = derive(self.params.seed, "growth")
        return {
            name: model.fit(
                self.growth_data, dropout=way, seed=seed, n_jobs=self.patients.courses.n_jobs
            )
            for name, way in ways.items()
        }

    @cached_property
    def diagnosed(self) -> dict[str, Diagnostics]:
        """Whether the chains can be relied on, by how drop-out is handled."""
        return {way: diagnose(fit) for way, fit in self.growth.items()}

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Mean curves by what is assumed of those who left."""
        found = {way: mean_curve(fit) for way, fit in self.growth.items()}
        if self.growth_data.dropped_out is not None:
            for delta in self.params.deltas:
                found[f"{delta:g} points worse than {RANDOM}"] = mean_curve(
                    self.growth[RANDOM], assumed=Assumed(delta)
                )
        return found

    @cached_property
    def prior_check(self) -> PriorCheck:
        """Scores that the priors let expect."""
        return prior_check(self.growth_data, self.growth[RANDOM].priors, seed=self.params.seed)

    @cached_property
    def posterior_check(self) -> PosteriorCheck:
        """Scores that the model gives to the same patients."""
        return posterior_check(self.growth[RANDOM], caseness=CASENESS)

    @cached_property
    def coverage(self) -> dict[int, tuple[float, float, float]]:
        """Landmark -> share of scores within the band, between the ends of its Wilson interval."""
        counted = self.flags.rows.group_by("landmark", maintain_order=True).agg(
            n=pl.len().cast(pl.Int64), k=pl.col("inside").sum()
        )
        found = counted.select("landmark", **wilson(pl.col("k"), pl.col("n")))
        return {s: (low, share, high) for s, share, low, high in found.rows()}

    @cached_property
    def band_width(self) -> float:
        """Points from end to end of the band at the last session, after a middling first score."""
        first = sorted(self.params.first_scores)[len(self.params.first_scores) // 2]
        found = self.expected(first, [self.params.n_sessions])
        return float(found.high[0] - found.low[0])

    def expected(self, first: int, times) -> Curve:
        """Expected response of a new patient after a first score."""
        return expected_response(
            self.growth[RANDOM], times, scores=[first], seen=[0], level=self.params.band
        )

    @cached_property
    def planted(self) -> Posterior | None:
        """Correlation of therapists' rates, sign turned, with the responses planted in them.

        With its posterior interval; None where nothing was planted, or no therapist is told apart.
        """
        planted = self.patients.cohort.truth.get("therapist_effects")
        if planted is None or self.growth_data.therapist is None:
            return None
        numbers = [int(name[1:]) - 1 for name in sorted(self.people["therapist"].unique())]
        found = [np.corrcoef(-rate, planted[numbers])[0, 1]
                 for rate in self.growth[RANDOM].kept("therapist_rate")]  # fmt: skip
        return Posterior.of(found)

    @cached_property
    def notes(self) -> list[str]:
        """What the growth model had to leave out, or can say little about."""
        patients, notes = self.patients, list(self.growth_data.notes)
        for unit, known in (
            ("therapist", self.growth_data.therapist),
            ("service", self.growth_data.service),
        ):
            if known is None:
                notes.append(
                    f"No {unit}s are told apart by the growth model: too few patients have one "
                    "recorded, or share one."
                )
        if not patients.knows_who_left:
            notes.append(
                "How treatment ended is not recorded of half of the patients, so drop-out is taken "
                "as at random and nothing is said of what else it may be."
            )
        return notes

    @cached_property
    def classes(self) -> Choice:
        """Mixtures of curves of all patients, and the one chosen by BIC."""
        scores = self.patients.scores
        return trajectories.choose(
            scores["person"].to_numpy(),
            scores["time"].to_numpy(),
            scores["phq9"].to_numpy(),
            max_classes=self.params.max_classes,
            degree=2,
            scale="log",
            random_slope=True,
            n_starts=self.params.n_starts,
            random_state=derive(self.params.seed, "classes"),
        )

    @cached_property
    def flags(self) -> Flags:
        """Whom the rules flag."""
        return flagged(self.patients, self.growth[RANDOM], self.sampled, self.params)

    @cached_property
    def measured(self) -> dict[str, signals.Signals]:
        """What each rule does."""
        return {rule: self._measure(self.flags.flag(rule)) for rule in RULES}

    def _measure(self, flag: np.ndarray) -> signals.Signals:
        seed = derive(self.params.seed, "signals")
        return signals.measure(
            self.flags.treated, flag, n_boot=self.params.n_bootstrap, random_state=seed
        )

    @cached_property
    def equal_work(self) -> dict[str, tuple[signals.Signals, dict[str, Estimate] | None]]:
        """Rules that flag as many at each landmark as the landmark model, and less that model."""
        seed, model = derive(self.params.seed, "equal work"), self.flags.flag(MODEL)
        found = {MODEL: (self.measured[MODEL], None)}
        for rule in (BAND, CURRENT):
            flag = self.flags.like(rule, MODEL, seed)
            less = signals.compare(
                self.flags.treated, flag, model, n_boot=self.params.n_bootstrap, random_state=seed
            )
            found[rule] = (self._measure(flag), less)
        return found

    @cached_property
    def watched(self) -> dict[str, np.ndarray]:
        """Safety signal -> (patients,) 1 with it, 0 without, NaN where it cannot be.

        Who gave no answer reported no thoughts: how few these are must not be told.
        """
        people = self.patients.people
        answers = [n for n in ("harm_first", "harm_later") if people[n].is_not_null().any()]
        people = people.with_columns(pl.col(answers).fill_null(False))
        new = pl.when(~pl.col("harm_first")).then(pl.col("harm_later"))
        found = people.select(
            pl.col("reliable_deterioration").alias(DETERIORATED),
            pl.col("harm_first").alias(HARM),
            new.alias(NEW_HARM),
        )
        return {
            name: column.cast(pl.Float64).fill_null(np.nan).to_numpy()
            for name, column in found.to_dict().items()
        }

    @cached_property
    def safety(self) -> tuple[signals.Rate, ...]:
        """How often the signals are seen, in all patients and by group."""
        return signals.safety(self.watched, self.patients.groups)

    @cached_property
    def safety_flagged(self) -> dict[tuple[str, str], signals.Rate]:
        """Of the patients with a signal whom rules could judge, those who are flagged."""
        ever = self.flags.rows.group_by("person", maintain_order=True).agg(
            pl.col([f"flag: {rule}" for rule in RULES]).any()
        )
        found = {}
        for name in (DETERIORATED, NEW_HARM):
            with_it = self.watched[name][ever["person"]] == 1
            for rule in RULES:
                flags = np.where(with_it, ever[f"flag: {rule}"].to_numpy(), np.nan)
                (found[name, rule],) = signals.safety({name: flags})
        return found
