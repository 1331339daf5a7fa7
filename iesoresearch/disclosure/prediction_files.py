"""Rules for the file of a prediction model: trees, weights, quantiles and examples."""

import math
from collections.abc import Iterator
from typing import Any

from iesoresearch.disclosure.model_files import Judged, Rule, of_people, passed, refused
from iesoresearch.disclosure.policy import Policy
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

FEWEST = "fewest"  # as `models.prediction.shared.least` names it
_SIZES = ("n_detail", "n_assessment", "share")
#: Names in the trees of XGBoost, by where they are; what is not here may hold anything.
_TREES = {
    "": {"learner", "version"},
    "learner": {
        *("attributes", "feature_names", "feature_types", "gradient_booster"),
        *("learner_model_param", "objective"),
    },
    "model": {"cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees"},
    "tree": {
        *("base_weights", "categories", "categories_nodes", "categories_segments"),
        *("categories_sizes", "default_left", "id", "left_children", "loss_changes", "parents"),
        *("right_children", "split_conditions", "split_indices", "split_type", "sum_hessian"),
        "tree_param",
    },
}
_OF_ROWS = ("base_weights", "loss_changes", "sum_hessian")
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def _examples(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """The example patients are those that everybody can make up from the ranges."""
    from iesoresearch.models.prediction import saved

    made = saved.made_up(_schema(content)).to_dict(as_series=False)
    if content["examples"]["features"] == made:
        yield passed("examples", "The example patients are made up from the ranges.", {})
    else:
        yield refused(
            "examples",
            "The example patients are not those that are made up from the ranges of the features, "
            "so they may be patients. Write the model anew.",
        )


def _schema(content: dict[str, Any]) -> Schema:
    features = content["features"]
    numeric = tuple(Numeric(**f) for f in features["numeric"])
    words = tuple(
        Categorical(**f | {"categories": tuple(f["categories"])}) for f in features["categorical"]
    )
    return Schema(numeric, words, tuple(features["current"]))


def _ranges(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Ranges are those a feature can have: the smallest and largest seen are single patients."""
    odd = [
        f["name"]
        for f in content["features"]["numeric"]
        if any(not float(f[end]).is_integer() for end in ("low", "high"))
    ]
    if odd:
        yield Judged(
            "review", "ranges",
            "The ranges of some features are no whole numbers. Look whether they are what the "
            "feature can be, and not the smallest and largest that a patient had.",
            {"features": odd},
        )  # fmt: skip
    else:
        yield passed("ranges", "The ranges of all features are whole numbers, as of scales.", {})


def _told(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """What is told of the training data: known names, and of no few."""
    schema, told = _schema(content), content["training"]
    known = {"data", FEWEST, *_SIZES}
    for name in [*(f.name for f in schema.numeric), "log_odds"]:
        known |= {f"{name}: {what}" for what in ("mean", "sd", "recorded")}
    for f in schema.categorical:
        known |= {f"{f.name} = {level}" for level in (*f.categories, "missing")}
    texts = [k for k, v in told.items() if isinstance(v, str) and k != "data"]
    texts += [k for k, v in content["performance"].items() if isinstance(v, str)]
    unknown = sorted({*told} - known) + texts
    if unknown:
        yield refused(
            "training",
            f"The file tells something of the training data that is not known: {unknown[0]}.",
            {"names": unknown},
        )
        return
    yield from (of_people(name, told[name], policy) for name in _SIZES[:2] if told.get(name))
    n = told.get("n_detail") or 0
    few = [k for k, v in told.items() if _is_share(k) and not _enough(v, n, policy)]
    if told.get("share") is not None and not _enough(told["share"] / 100, n, policy):
        few.append("share")
    if few:
        yield refused(
            "training",
            f"{len(few)} shares of the training data are of fewer than {policy.min_count} people, "
            "or of all but as few. Describe it by a released table.",
            {"names": few},
        )
    else:
        sentence = "What is told of the training data is of no few people."
        yield passed("training", sentence, {"n_told": len(told)})


def _is_share(name: str) -> bool:
    return " = " in name or name.endswith(": recorded")


def _enough(share: float, n: float, policy: Policy) -> bool:
    """Whether a share of people rounded to some digits is of enough, and the rest as well."""
    return policy.min_count <= math.ceil(share * n) and policy.min_count <= math.ceil(n - share * n)


def _trees(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Nothing is said of the patients in the leaves but how to predict."""
    if content["kind"] != "xgboost":
        return
    learner = content["parameters"]["learner"]
    model = learner["gradient_booster"]["model"]
    parts = [("", content["parameters"]), ("learner", learner), ("model", model)]
    parts += [("tree", tree) for tree in model["trees"]]
    more = {f"{where}/{name}" for where, part in parts for name in {*part} - _TREES[where]}
    more |= {f"learner/{name}" for name in ("attributes", "feature_names") if learner.get(name)}
    more |= {f"cats/{name}" for name, part in model.get("cats", {}).items() if part}
    for tree in model["trees"]:
        more |= {f"tree/{name}" for name in _OF_ROWS if any(tree[name])}
        more |= {f"tree/{name}" for name in _EMPTY if tree.get(name)}
    if more:
        yield refused(
            "trees",
            f"The trees hold what predictions do not need and patients are behind: "
            f"{', '.join(sorted(more))}. Write the model with iesoresearch.",
            {"names": sorted(more)},
        )
    else:
        yield passed("trees", "The trees hold what predictions need.", {})


def _fewest(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Every leaf, and every indicator with a weight, rests on enough patients."""
    what = "leaf of its trees" if content["kind"] == "xgboost" else "category with a weight"
    fewest = content["training"].get(FEWEST)
    if not isinstance(fewest, int | float) or fewest < policy.min_count:
        known = "not said" if fewest is None else f"fewer than {policy.min_count}"
        yield refused(
            "fewest",
            f"How many patients the smallest {what} has is {known}. Run the analysis again, with "
            "larger leaves or fewer categories if they are few.",
        )
    else:
        sentence = f"Every {what} has at least {fewest} patients."
        yield passed("fewest", sentence, {"at_least": fewest})


def _quantiles(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Medians and knots have enough patients on either side."""
    if content["kind"] == "xgboost":
        return
    from iesoresearch.models.prediction.pipelines import KNOTS

    told, few = content["training"], []
    n = told.get("n_detail") or 0
    middles = {f["name"]: (f["low"] + f["high"]) / 2 for f in content["features"]["numeric"]}
    asked = {
        name: 0.5 for name, x in content["parameters"]["medians"].items() if x != middles[name]
    }
    asked |= {name: KNOTS[0] for name, k in content["parameters"]["knots"].items() if len({*k}) > 1}
    for name, level in asked.items():
        recorded = told.get(f"{name}: recorded")
        if recorded is None:  # all, or all but few; or few, and then nothing else is told either
            recorded = 1 - policy.min_count / n if n and f"{name}: mean" in told else 0.0
        if recorded * n * level < policy.percentile:
            few.append(name)
    if few:
        yield refused(
            "quantiles",
            f"Medians or knots of {len(few)} features have fewer than {policy.percentile} patients "
            "on one side. Leave the features out, or their bends, or bring more patients.",
            {"features": few},
        )
    else:
        yield passed("quantiles", "Medians and knots have enough patients on either side.", {})


RULES: tuple[Rule, ...] = (_examples, _ranges, _told, _trees, _fewest, _quantiles)
