"""The parameters of a fitted model as plain numbers, and predictions from them.

Nothing in them counts people. Medians and knots are learnt from at least `pipelines.FEWEST` rows,
weights of rarer categories are zero, and leaves of trees hold at least as many rows; what trees say
of the rows in them, which no prediction needs, is set to zero.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.special import expit

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.pipelines import FEWEST, KNOTS, Kind, Prepared, Schema

_OF_ROWS = ("base_weights", "loss_changes", "sum_hessian")  # of the nodes of a tree
_OF_NODES = ("left_children", "right_children", "split_conditions", "split_indices", "default_left")
_NOT_A_TREE = (KeyError, TypeError, ValueError, IndexError, OverflowError)


class _Linear(BaseModel):
    """Log-odds = intercept + sum of weight × column, columns as `pipelines.Prepared` names them."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    intercept: float
    medians: dict[str, float]
    knots: dict[str, list[float]]
    weights: dict[str, float]


def parameters(pipeline) -> dict[str, Any]:
    """What predictions of a fitted pipeline need, as JSON has it.

    Raises
    ------
    ParameterError
        Boosted trees whose leaves may hold fewer than `FEWEST` rows: such a file may tell of single
        people.
    """
    last = pipeline[-1]
    if hasattr(last, "get_booster"):
        if (last.min_child_weight or 0) < FEWEST / 4 or (last.scale_pos_weight or 1) > 1:
            raise ParameterError(
                f"Trees whose leaves may hold fewer than {FEWEST} rows cannot be shared. Fit with "
                f"min_child_weight of at least {FEWEST / 4:g} and no weights."
            )
        found = json.loads(last.get_booster().save_raw("json"))
        for tree in found["learner"]["gradient_booster"]["model"]["trees"]:
            tree.update({name: [0.0] * len(tree[name]) for name in _OF_ROWS})
        return found
    prepared = pipeline.named_steps["prepare"]
    names = [name for name, _ in prepared.columns]
    weights = last.coef_[0] / prepared.scale_  # of columns that say nothing: zero
    intercept = last.intercept_[0] - weights @ prepared.mean_
    numeric, bent = _numeric(prepared)
    found = _Linear(
        intercept=float(intercept),
        medians=dict(zip(numeric, prepared.medians_.tolist(), strict=True)),
        knots=dict(zip(bent, prepared.knots_.tolist(), strict=True)),
        weights=dict(zip(names, weights.tolist(), strict=True)),
    )
    return found.model_dump()


def fewest(pipeline, X) -> int:
    """Rows behind what rests on the fewest: a leaf of a tree, or an indicator with a weight.

    Parameters
    ----------
    pipeline, X
        Fitted, and the table it was fitted to.
    """
    last = pipeline[-1]
    if not hasattr(last, "get_booster"):
        prepared = pipeline.named_steps["prepare"]
        indicators = prepared.indicators(pipeline[:-2].transform(X))
        ones = indicators[:, np.isfinite(prepared.scale_[-indicators.shape[1] :])].sum(axis=0)
        return int(np.minimum(ones, len(indicators) - ones).min(initial=len(indicators)))
    matrix = xgboost.DMatrix(pipeline[:-1].transform(X), nthread=1)
    leaves = last.get_booster().predict(matrix, pred_leaf=True).astype(np.int64)
    return min(int(np.unique(tree, return_counts=True)[1].min()) for tree in leaves.T)


def _numeric(prepared: Prepared) -> tuple[list[str], list[str]]:
    """Names of the numeric features, and of those that are bent."""
    kept = [f for f in prepared.schema.numeric if f.name in prepared.features]
    return [f.name for f in kept], [f.name for f in kept if f.spline]


def predictor(kind: Kind, schema: Schema, found: dict[str, Any]) -> Callable:
    """Function from the matrix of a schema to chances (rows,), from `parameters`.

    Raises
    ------
    DataError
        They are not those of a model of this kind and schema.
    """
    return _trees(schema, found) if kind == "xgboost" else _linear(kind, schema, found)


def _linear(kind, schema, found) -> Callable:
    prepared = Prepared(schema, schema.current if kind == "current score" else schema.names)
    names, (numeric, bent) = [name for name, _ in prepared.columns], _numeric(prepared)
    try:
        linear = _Linear.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = " → ".join(str(part) for part in first["loc"])
        raise DataError(f"at parameters → {where}: {first['msg']}") from None
    of_all = (list(linear.medians), list(linear.knots), list(linear.weights))
    if of_all != (numeric, bent, names) or any(
        len(k) != len(KNOTS) or k != sorted(k) for k in linear.knots.values()
    ):
        raise DataError("medians, knots or weights are not those of its features")
    prepared.medians_ = np.array([linear.medians[name] for name in numeric])
    prepared.knots_ = np.array([linear.knots[name] for name in bent]).reshape(-1, len(KNOTS))
    prepared.mean_, prepared.scale_ = np.zeros(len(names)), np.ones(len(names))
    weights = np.array([linear.weights[name] for name in names])
    return lambda matrix: expit(linear.intercept + prepared.transform(matrix) @ weights)


def _trees(schema, found) -> Callable:
    # XGBoost trusts what it loads: a child that is not there would be read all the same
    try:
        learner = found["learner"]
        trees = learner["gradient_booster"]["model"]["trees"]
        sound = (
            learner["objective"]["name"] == "binary:logistic"
            and learner["gradient_booster"]["name"] == "gbtree"
            and int(learner["learner_model_param"]["num_feature"]) == len(schema.columns)
            and int(learner["gradient_booster"]["model"]["gbtree_model_param"]["num_trees"])
            == len(trees)
            and all(_is_tree(tree, len(schema.columns)) for tree in trees)
        )
    except _NOT_A_TREE:
        sound = False
    if not sound:
        raise DataError("its trees are none of its features")
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(json.dumps(found), "utf-8"))
    except xgboost.core.XGBoostError:
        raise DataError("XGBoost cannot read its trees") from None
    return lambda matrix: booster.predict(xgboost.DMatrix(matrix, nthread=1)).astype(float)


def _is_tree(tree: dict[str, Any], n_features: int) -> bool:
    """Whether every node of a tree leads on to later nodes of it, or ends in a number."""
    n = int(tree["tree_param"]["num_nodes"])
    left, right, values, split, _ = (np.array(tree[name]) for name in _OF_NODES)
    each = [*_OF_NODES, *_OF_ROWS, "parents", "split_type"]
    if n < 1 or any(np.shape(tree[name]) != (n,) for name in each) or any(tree["split_type"]):
        return False
    inner = left != -1
    later = np.minimum(left, right) > np.arange(n)
    return bool(
        (inner == (right != -1)).all()
        and later[inner].all()
        and max(left.max(), right.max()) < n
        and 0 <= split.min() <= split.max() < n_features
        and np.isfinite(values).all()
    )
