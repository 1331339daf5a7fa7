"""What `recovery` computes once, and its tables and sentences read."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iesoresearch.analyses.recovery import Params
from iesoresearch.analyses.recovery.data import AtLandmark, Courses
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.sensitivity import Handled, handled
from iesoresearch.analyses.recovery.times import Split, by_days, by_years
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes.landmarks import OUTCOMES
from iesoresearch.models import drift, sample_size, validation
from iesoresearch.models.evaluation import Evaluation, evaluate
from iesoresearch.models.evaluation.metrics import row_log_loss
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.prediction.explanation import Importance, importance
from iesoresearch.models.prediction.nested import OutOfFold, Tuned, nested
from iesoresearch.models.prediction.pipelines import KINDS, build, feature_names
from iesoresearch.seeds import derive

#: Risks of not reaching the outcome from which somebody might be offered more.
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
FEWEST_EVENTS = 20  # with and without another outcome, to fit a model of it
BASELINE = "current score"
SPLIT = 0.5  # chance of the outcome that divides the two classes of the instability
LEARNING_REPEATS = 5
Z95 = 1.959964
#: Anticipated AUC for the sample size, from the landmark on: the current score alone does little
#: at the start, and past scores are most of what published models live on later.
EXPECTED_AUC = {0: 0.65, 2: 0.70, 3: 0.75}


@dataclass(frozen=True)
class Judged:
    """Out-of-fold predictions of one model, and how good they are.

    Attributes
    ----------
    y, p
        (rows,) outcome and prediction of those that could be predicted.
    rows
        (rows,) their places at the landmark.
    found
        Of the nested cross-validation.
    evaluation
        Without groups.
    """

    y: np.ndarray
    p: np.ndarray
    rows: np.ndarray
    found: OutOfFold
    evaluation: Evaluation


@dataclass(frozen=True)
class Fitted:
    """All that is computed, each part when it is first asked for."""

    courses: Courses
    params: Params

    @property
    def outcome(self) -> str:
        """The outcome that is predicted."""
        return self.params.outcome

    @property
    def sensitivity(self) -> str:
        """Of the data."""
        return self.courses.cohort.sensitivity

    @property
    def detail(self) -> AtLandmark:
        """The landmark that is looked at closely."""
        return self.courses.at[self.params.detail]

    @cached_property
    def judged(self) -> dict[tuple[int, str], Judged]:
        """By landmark and kind of model."""
        return {
            (s, kind): self.judge(at, kind, self.outcome)
            for s, at in self.courses.at.items()
            for kind in KINDS
        }

    @property
    def main(self) -> Judged:
        """The model that was named beforehand, at the landmark that is looked at closely."""
        return self.judged[self.params.detail, self.params.model]

    @cached_property
    def others(self) -> dict[tuple[int, str], Judged]:
        """The other outcomes by landmark, at the assessment and the one looked at closely.

        Left out is what fewer than `FEWEST_EVENTS` reached, or did not, or nobody knows of.
        """
        found = {}
        for outcome in OUTCOMES:
            for s in sorted({0, self.params.detail}):
                y = self.courses.at[s].y(outcome)
                few = min(np.nansum(y), np.nansum(1 - y)) < FEWEST_EVENTS
                if outcome != self.outcome and not few:
                    found[s, outcome] = self.judge(self.courses.at[s], self.params.model, outcome)
        return found

    def judge(self, at: AtLandmark, kind: str, outcome: str) -> Judged:
        """Predict an outcome at a landmark, every service by models that never saw it."""
        y = at.y(outcome)
        known = np.flatnonzero(np.isfinite(y))
        seed = derive(self.params.seed, "recovery", outcome, at.landmark)
        service = at.service
        if service is not None:
            service = service[known] if len(np.unique(service[known])) > 1 else None
        found = nested(
            kind, schema(at.landmark, outcome), at.features(outcome)[known], y[known],
            at.patient[known], service,
            n_outer=self.params.n_outer, n_inner=self.params.n_inner, random_state=seed,
            n_jobs=self.courses.n_jobs,
        )  # fmt: skip
        there = np.isfinite(found.p)
        y, p, rows = y[known][there], found.p[there], known[there]
        return Judged(y, p, rows, found, self._evaluate(y, p, at.patient[rows]))

    def _evaluate(self, y, p, patient, groups=None) -> Evaluation:
        return evaluate(
            y, p, clusters=patient, groups=groups, thresholds=THRESHOLDS,
            n_boot=self.params.n_bootstrap, random_state=derive(self.params.seed, "evaluate"),
            n_jobs=self.courses.n_jobs,
        )  # fmt: skip

    @cached_property
    def by_group(self) -> Evaluation:
        """The main model, by group of patients."""
        groups = {name: level[self.main.rows] for name, level in self.detail.groups.items()}
        patient = self.detail.patient[self.main.rows]
        return self._evaluate(self.main.y, self.main.p, patient, groups)

    @cached_property
    def decisions(self) -> dict[str, Evaluation]:
        """Predictions of *not* reaching the outcome, by model: what one would act on."""
        found = {}
        for kind in KINDS:
            judged = self.judged[self.params.detail, kind]
            patient = self.detail.patient[judged.rows]
            found[kind] = self._evaluate(1 - judged.y, 1 - judged.p, patient)
        return found

    def gain(self, landmark: int, kind: str) -> Estimate:
        """Log-loss of the current score alone minus that of a model, thousandths per referral.

        The interval is normal, over patients.
        """
        first, second = self.judged[landmark, BASELINE], self.judged[landmark, kind]
        rows, a, b = np.intersect1d(first.rows, second.rows, return_indices=True)
        y = first.y[a]
        each = 1000 * (row_log_loss(y, first.p[a]) - row_log_loss(y, second.p[b]))
        patient = np.unique(self.courses.at[landmark].patient[rows], return_inverse=True)[1]
        mean = float(each.mean())
        sums = np.bincount(patient, weights=each - mean)
        error = float(np.sqrt((sums**2).sum())) / len(each)
        return Estimate(mean, mean - Z95 * error, mean + Z95 * error)

    @cached_property
    def handled(self) -> dict[int, list[Handled]]:
        """The main model with missing last scores treated in three ways, by landmark."""
        return {s: self._handled(s, at) for s, at in self.courses.at.items()}

    def _handled(self, landmark: int, at: AtLandmark) -> list[Handled]:
        judged = self.judged[landmark, self.params.model]
        p = np.full(at.n, np.nan)
        p[judged.rows] = judged.p
        return handled(
            at, self.outcome, p, lambda y, rows: self._evaluate(y, p[rows], at.patient[rows]),
            self.params.n_imputations, derive(self.params.seed, "imputation", landmark),
        )  # fmt: skip

    @cached_property
    def best(self) -> dict[int, np.ndarray]:
        """By landmark (rows,) true chance of the outcome; empty for real patients."""
        if not self.courses.cohort.truth:
            return {}
        from iesoresearch.data.synthetic.futures import futures

        return {
            s: futures(
                self.courses.cohort, at.rows["ref"], at.rows["session"],
                n_futures=self.params.n_futures, seed=derive(self.params.seed, "futures", s),
            ).probability[self.outcome]
            for s, at in self.courses.at.items()
        }  # fmt: skip

    @property
    def schema(self):
        """Of the model looked at closely."""
        return schema(self.params.detail, self.outcome)

    @property
    def pipeline(self) -> Tuned:
        """The whole procedure: tuning, imputation and fit."""
        seed = derive(self.params.seed, "pipeline") % 2**31
        return Tuned(self.params.model, self.schema, self.params.n_inner, seed)

    @cached_property
    def training(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features as a matrix, outcome and patient of everybody at the landmark."""
        X = self.schema.encode(self.detail.features(self.outcome))
        return X, self.detail.y(self.outcome), self.detail.patient

    @cached_property
    def validation(self) -> validation.Validation:
        """Optimism, instability, other services and more patients, all refits of the pipeline."""
        X, y, patient = self.training
        return validation.validate(
            self.pipeline, X, y, clusters=patient, services=self.detail.service,
            n_boot=self.params.n_refits, random_state=derive(self.params.seed, "refits"),
            n_jobs=self.courses.n_jobs, thresholds=(SPLIT,), n_repeats=LEARNING_REPEATS,
        )  # fmt: skip

    @cached_property
    def final(self) -> Tuned:
        """The model fitted to everybody: the one that is shared."""
        X, y, patient = self.training
        return self.pipeline.fit(X, y, patient)

    @cached_property
    def importance(self) -> Importance:
        """What moves predictions of the model looked at closely, and how stable that is."""
        X, y, patient = self.training
        return importance(
            self.pipeline, X, y, patient, n_boot=self.params.n_refits,
            random_state=derive(self.params.seed, "importance"), n_jobs=self.courses.n_jobs,
        )  # fmt: skip

    @property
    def meanings(self) -> dict[str, str]:
        """Predictor -> what it is, in words."""
        return {f.name: f.meaning for f in (*self.schema.numeric, *self.schema.categorical)}

    @cached_property
    def needed(self) -> dict[int, sample_size.SampleSize]:
        """Patients needed at each landmark, for all parameters that were candidates."""
        found = {}
        for s, at in self.courses.at.items():
            y = at.y(self.outcome)
            model = build("logistic", schema(s, self.outcome))
            found[s] = sample_size.riley(float(y.mean()), len(feature_names(model)),
                                         auc=expected_auc(s))  # fmt: skip
        return found

    @property
    def days_shifted(self) -> int:
        """By how many days dates may be shifted; 0: they are true."""
        return self.courses.cohort.days_shifted

    @cached_property
    def split(self) -> Split | None:
        """What came first; None where dates are shifted and no years were stored."""
        return (by_years if self.days_shifted else by_days)(self.detail.rows)

    @cached_property
    def temporal(self) -> drift.Temporal | None:
        """A model of earlier courses, judged on later predictions; None where there are none."""
        if self.split is None:
            return None
        X, y, patient = self.training
        used = self.split.used
        try:
            found = drift.temporal_validation(
                self.pipeline, X[used], y[used], self.split.when[used], self.split.cut,
                clusters=patient[used],
            )  # fmt: skip
        except DataError:
            return None
        return replace(found, rows=used[found.rows])

    @cached_property
    def drift(self) -> drift.Drift | None:
        """Calibration of that model by quarter, or by financial year where dates are shifted."""
        if self.temporal is None or self.temporal.reason:
            return None
        rows = self.temporal.rows
        order = np.argsort(self.split.made[rows], kind="stable")
        return drift.calibration_drift(
            self.training[1][rows][order], self.temporal.p[order], self.split.period[rows][order],
            random_state=derive(self.params.seed, "drift"),
        )  # fmt: skip


def expected_auc(landmark: int) -> float:
    """Anticipated AUC at a landmark."""
    return EXPECTED_AUC[max(s for s in EXPECTED_AUC if s <= landmark)]
