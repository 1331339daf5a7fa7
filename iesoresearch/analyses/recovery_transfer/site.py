"""The two sides of `recovery_transfer`: a model in a file, and the patients of a site."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.data import AtLandmark, Courses
from iesoresearch.analyses.recovery.described import described
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.tables import OUTCOME_NAMES, landmark_name
from iesoresearch.analyses.recovery_transfer import MODEL_FILE, Params
from iesoresearch.data import locate, sources, synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures.outcomes import landmarks
from iesoresearch.models.evaluation import evaluate
from iesoresearch.models.prediction import saved, shared
from iesoresearch.models.prediction.nested import Tuned, nested
from iesoresearch.params import Settings
from iesoresearch.seeds import derive

N_INNER, N_OUTER = 3, 5  # folds that tune a model, and folds that judge it where it is made
_INTENDED = (
    "To show how a model that was made at one site is applied, judged and updated at another."
)
_NOT_FOR = "Not for patients: it was made of drawn referrals, behind which nobody stands."


@dataclass(frozen=True)
class Site:
    """A model that arrived, and those at risk at its landmark where it is to be used.

    Attributes
    ----------
    model
        As it was read from its file.
    cohort
        Of the site.
    at
        Referrals at risk at the landmark of the model.
    fingerprint
        Of all that was read.
    n_jobs
        Threads to use.
    """

    model: shared.SharedModel
    cohort: Cohort
    at: AtLandmark
    fingerprint: str
    n_jobs: int

    @property
    def X(self) -> pl.DataFrame:
        """What the model asks for, in its order."""
        return features(self.model, self.at)


def load(params: Params, settings: Settings) -> Site:
    """Model and site that `params` name.

    Raises
    ------
    ParameterError
        The model is of another outcome or landmark.
    DataError
        The model is absent, damaged, or asks for what is not here; the tables of the site are
        absent or break their schema, or nobody is at risk at the landmark.
    """
    if params.model == "folder":
        model = shipped(settings.search_path, params)
    else:
        model = made(params, settings.n_jobs)
    if params.source == "synthetic":
        seed = derive(params.seed, "site")
        cohort = synthetic.make(params.n_referrals, seed, params.profile)
    else:
        cohort = sources.load("folder", settings.search_path, 0, params.seed)
    at = at_risk(cohort, params.landmark, params.stand_in)
    found = cohort.fingerprint
    if params.files_beside:
        path = settings.search_path
        found = locate.fingerprint(params.source, path, beside=params.files_beside)
    return Site(model, cohort, at, found, settings.n_jobs)


def shipped(search_path: tuple[Path, ...], params: Params) -> shared.SharedModel:
    """The model in the first folder that holds one.

    Raises
    ------
    ParameterError
        It is of another outcome or landmark.
    DataError
        There is none, or it is damaged.
    """
    model = saved.read(locate.file_beside(MODEL_FILE, search_path))
    if (model.outcome, model.landmark) != (params.outcome, params.landmark):
        raise ParameterError(
            f"{MODEL_FILE} predicts {model.outcome} at landmark {model.landmark}, and not "
            f"{params.outcome} at landmark {params.landmark}. Ask for what it predicts with "
            f"-p outcome={model.outcome} -p landmark={model.landmark}, or bring another model."
        )
    return model


def at_risk(cohort: Cohort, landmark: int, stand_in: bool = False) -> AtLandmark:
    """Those at risk at a landmark.

    Raises
    ------
    DataError
        There is nobody.
    """
    found = landmarks(
        cohort.referrals, cohort.contacts, cohort.scores, fallback=stand_in, last=landmark
    )
    at = Courses(cohort, found, (landmark,), 1).at[landmark]
    if not at.n:
        raise DataError(
            f"{cohort.name}: nobody is at risk at landmark {landmark} ({landmark_name(landmark)}), "
            "so there is nobody to predict for. At risk is who was at caseness at the start "
            "and attended it before the discharge. `data check` says what was not usable."
        )
    return at


def features(model: shared.SharedModel, at: AtLandmark) -> pl.DataFrame:
    """(n, features) that a model asks for.

    Raises
    ------
    DataError
        It asks for something that is not computed here.
    """
    unknown = [name for name in model.schema.names if name not in at.X.columns]
    if unknown:
        raise DataError(
            f"The model asks for {', '.join(unknown)}, which this version of the package does not "
            "compute from the tables. Use the version that it was made with: "
            f"{model.versions.get('iesoresearch', 'not said')}."
        )
    return at.X.select(model.schema.names)


def still_open(cohort: Cohort) -> Cohort:
    """The same referrals, those still in care as well: for predictions, which need no outcome.

    To look at those whose outcome is known is right where predictions are judged; the ones that
    predictions are for have none yet. They count as discharged on a day that never comes, which no
    model sees.
    """
    never = pl.date(9999, 12, 31)
    referrals = cohort.referrals.with_columns(pl.col("discharge_date").fill_null(never))
    return replace(cohort, referrals=referrals)


def made(params: Params, n_jobs: int) -> shared.SharedModel:
    """A model made of drawn referrals, written to a file and read back, as a partner would."""
    cohort = synthetic.make(params.n_model, derive(params.seed, "model"), "england")
    at = at_risk(cohort, params.landmark, params.stand_in)
    allowed = schema(params.landmark, params.outcome)
    X, y = at.features(params.outcome), at.y(params.outcome)
    seed = derive(params.seed, "fit") % 2**31
    final = Tuned(params.kind, allowed, N_INNER, seed).fit(X, y, at.patient)
    p = final.predict_proba(X)[:, 1]
    told = described(allowed, X, y, p, at.patient).told(Policy())
    told |= shared.least(final, X, Policy().round_to)
    model = shared.share(
        final, outcome=params.outcome, landmark=params.landmark, intended_use=_INTENDED,
        not_for=_NOT_FOR, training={"data": cohort.name} | told,
        performance=_performance(params, allowed, at, n_jobs),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL_FILE)
        saved.write(path, model)
        return saved.read(path)


def _performance(params: Params, allowed, at: AtLandmark, n_jobs: int) -> dict[str, float | None]:
    """What a model says of itself: how good it is where it was made, in services left out."""
    X, y = at.features(params.outcome), at.y(params.outcome)
    found = nested(
        params.kind, allowed, X, y, at.patient, at.service, n_outer=N_OUTER, n_inner=N_INNER,
        random_state=derive(params.seed, "made"), n_jobs=n_jobs,
    )  # fmt: skip
    overall = evaluate(
        y, found.p, clusters=at.patient, n_boot=params.n_bootstrap,
        random_state=derive(params.seed, "made", "evaluate"), n_jobs=n_jobs,
    ).overall  # fmt: skip
    said = {}
    for name, metric in ACHIEVED.items():
        e = overall[metric]
        for end, value in (("", e.value), ("_low", e.low), ("_high", e.high)):
            said[name + end] = round(float(value), 4) if np.isfinite(value) else None
    return said


#: Name of a number in a model's own account -> metric; the names that runs of `recovery` use.
ACHIEVED = {
    "auc": "auc",
    "slope": "calibration_slope",
    "scaled_brier": "scaled_brier",
    "ici": "ici",
    "observed_expected": "observed_expected",
}


def in_words(model: shared.SharedModel) -> str:
    """Outcome and landmark."""
    return f"{OUTCOME_NAMES[model.outcome]} at {landmark_name(model.landmark)}"
