"""Tables of `recovery` that say what moves predictions; and the model as it is shared."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from iesoresearch.analyses.recovery.described import MISSING, Described, described, values
from iesoresearch.analyses.recovery.fitted import Fitted
from iesoresearch.analyses.recovery.tables import landmark_name, types
from iesoresearch.disclosure import Policy
from iesoresearch.models.prediction import saved, shared
from iesoresearch.models.prediction.dependence import dependence, made_up_patient, waterfall
from iesoresearch.results import Result, Table, Value

#: Groups whose performance is shown -> the predictor that has them as levels.
LEVELS = {"Gender": "gender", "Long-term condition": "long_term_condition"}
SHOWN = 3  # features whose dependence is shown
MODEL_FILE = "model.json"
#: Numbers of the result that travel with a shared model, as released.
TOLD = ("n_assessment", "n_detail", "share")
ACHIEVED = ("auc", "auc_low", "auc_high", "slope", "slope_low", "slope_high", "corrected_auc")


def importance(fitted: Fitted) -> Table:
    """Mean absolute SHAP value of every predictor, largest first, and how stable that is."""
    found = fitted.importance
    frame = pl.DataFrame(
        {
            "meaning": [fitted.meanings[name] for name in found.features],
            "change": list(found.words),
            "importance": found.value,
            "least": found.value_low,
            "most": found.value_high,
            "top": found.top,
        }
    ).sort("importance", descending=True, maintain_order=True)
    model = {"sensitivity": fitted.sensitivity}
    shown = {
        "importance": Value("model", "Mean |SHAP|, log-odds", 3, **model),
        "least": Value("model", "Refits, 2.5 %", 3, **model),
        "most": Value("model", "Refits, 97.5 %", 3, **model),
        "top": Value("model", "Among the first five, of refits", 2, **model),
    }
    title = f"What moves predictions ({fitted.params.model})"
    return Table(title, frame, {"meaning": "Predictor", "change": "What can be changed"}, shown)


def dependences(fitted: Fitted) -> Table:
    """What the predictors that move predictions most do over their range."""
    rows = []
    X = fitted.detail.features(fitted.outcome)
    order = sorted(zip(fitted.importance.rank, fitted.importance.features, strict=True))
    for _, name in order[:SHOWN]:
        found = dependence(fitted.final, X, fitted.detail.patient, name)
        columns = (found.groups, found.n_patients, found.mean, found.lower, found.upper)
        for group, n, mean, lower, upper in zip(*columns, strict=True):
            if n or group != MISSING:
                row = {"meaning": fitted.meanings[name], "group": group, "n": int(n)}
                rows.append(row | {"shap": mean, "lower": lower, "upper": upper})
    shared_by = {"sensitivity": fitted.sensitivity}
    model = {"denominator": "n", "follows": "n"} | shared_by
    shown = {
        "n": Value("count", "Patients", 0, parts_of=("meaning",), **shared_by),
        "shap": Value("model", "Mean SHAP, log-odds", 2, **model),
        "lower": Value("quantile", "Lower quartile", 2, level=0.25, **model),
        "upper": Value("quantile", "Upper quartile", 2, level=0.75, **model),
    }
    keys = {"meaning": "Predictor", "group": "Where it is"}
    frame = pl.DataFrame(rows, schema=types(keys, shown)).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )
    return Table("How predictions depend on the first three", frame, keys, shown)


def characteristics(fitted: Fitted) -> Table:
    """Who is at the landmark looked at closely, and for how many each predictor is recorded."""
    frame = _patients(fitted).frame.with_columns(
        pl.col("name").replace(fitted.meanings | {"log_odds": "Log-odds that the model gives"}),
        n=(pl.col("share") * pl.col("all")).round().cast(pl.Int64),
    )
    shown = values(fitted.sensitivity)
    shown |= {
        "n": replace(shown["n"], label="Recorded, or of the level"),
        "share": replace(shown["share"], parts_of=None, follows="n"),
    }
    keys = {"name": "Predictor", "level": "Level"}
    title = f"Those at risk at: {landmark_name(fitted.params.detail)}"
    return Table(title, frame, keys, shown)


def patient(fitted: Fitted) -> Table:
    """The prediction for one made-up patient, taken apart."""
    X = fitted.detail.features(fitted.outcome)
    row = made_up_patient(fitted.schema, X)
    found = waterfall(fitted.final, row)
    frame = pl.DataFrame(
        {
            "meaning": [fitted.meanings[name] for name in found.features],
            "value": [str(value) for value in found.values],
            "shap": found.contributions,
        }
    ).head(10)
    shown = {"shap": Value("model", "Log-odds added", 2, sensitivity=fitted.sensitivity)}
    title = f"A made-up typical patient: predicted chance {found.p:.2f}"
    keys = {"meaning": "Predictor (first ten)", "value": "Made-up value"}
    return Table(title, frame, keys, shown)


def _patients(fitted: Fitted) -> Described:
    """Those the model was made with, and what it says of them."""
    X, y = fitted.detail.features(fitted.outcome), fitted.training[1]
    p = fitted.final.predict_proba(X)[:, 1]
    found = described(fitted.schema, X, y, p, fitted.detail.patient)
    # neither do `groups` and `dependence` show them, which tells that nobody is in them
    told = (pl.col("level") == MISSING) | pl.col("name").is_in(list(LEVELS.values()))
    return replace(found, frame=found.frame.filter((pl.col("share") > 0) | ~told))


def write_model(fitted: Fitted):
    """Writer of the model as a file, with what the released result says of it."""

    def write(result: Result, path: Path) -> None:
        said = {name: result.numbers[name].value for name in TOLD}
        achieved = {name: result.numbers[name].value for name in ACHIEVED}
        applied = Policy(**result.provenance["disclosure"])
        of_patients = _patients(fitted).shown(result.tables["characteristics"].frame)
        X = fitted.detail.features(fitted.outcome)
        least = shared.least(fitted.final, X, applied.round_to)
        model = shared.share(
            fitted.final, outcome=fitted.outcome, landmark=fitted.params.detail,
            intended_use=result.render(result.text["intended_use"]),
            not_for=result.render(result.text["not_for"]),
            training={"data": fitted.courses.cohort.name} | of_patients | said | least,
            performance=achieved,
        )  # fmt: skip
        saved.write(path, model)

    return write
