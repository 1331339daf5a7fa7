"""Files of models: what tells of patients is refused, whoever wrote the file."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.recovery.described import described
from iesoresearch.disclosure import Policy, model_files
from iesoresearch.disclosure.findings import worst
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import saved as states
from iesoresearch.models.prediction import saved, shared
from iesoresearch.models.prediction.pipelines import build
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

POLICY = Policy()
SCHEMA = Schema(
    (
        Numeric("phq9", 0, 27, "PHQ-9 total, points", -1, "modifiable", True),
        Numeric("wait", 0, 400, "Wait, days"),
    ),
    (Categorical("gender", ("female", "male", "other"), "Gender"),),
    ("phq9",),
)


def drawn(n=700):
    random = np.random.default_rng(3)
    X = pl.DataFrame(
        {
            "phq9": random.integers(3, 28, n).astype(float),
            "wait": random.exponential(30, n).round(),
            "gender": random.choice(["female", "male", "other"], n, p=[0.6, 0.35, 0.05]),
        }
    )
    X = X.with_columns(wait=pl.when(pl.Series(random.random(n) > 0.1)).then("wait"))
    return X, (random.random(n) < 1 / (1 + np.exp(X["phq9"].to_numpy() / 5 - 3))).astype(float)


def write(folder, kind, n=700, **configuration):
    """A model written as `recovery` does; its file."""
    X, y = drawn(n)
    model = build(kind, SCHEMA, **configuration).fit(X, y)
    told = described(SCHEMA, X, y, model.predict_proba(X)[:, 1], np.arange(n)).told(POLICY)
    told |= shared.least(model, X, POLICY.round_to)
    made = shared.share(
        model, outcome="recovery", landmark=0, intended_use="Tests.", not_for="Anybody's care.",
        training={"data": "drawn referrals"} | told, performance={"auc": 0.7, "auc_low": None},
    )  # fmt: skip
    path = folder / "run" / "model.json"
    path.parent.mkdir(exist_ok=True)
    saved.write(path, made)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    made = {
        "xgboost": write(tmp_path_factory.mktemp("trees"), "xgboost", n_estimators=10),
        "logistic": write(tmp_path_factory.mktemp("linear"), "logistic"),
    }
    return {kind: path.read_text() for kind, path in made.items()}


@pytest.fixture
def altered(files, tmp_path):
    """The file of a model with a change, its hash mended as a forger would."""

    def alter(kind, change):
        content = json.loads(files[kind])
        change(content)
        content["hash"] = saved._hash(content)
        path = tmp_path / "model.json"
        path.write_text(json.dumps(content))
        return path

    return alter


def rules(path, policy=POLICY):
    """Rule -> status, the gravest."""
    found = model_files.check(path, policy)
    assert {(f.run, f.output) for f in found} == {(path.parent.name, "file:model.json")}
    return {f.rule: worst([g for g in found if g.rule == f.rule]) for f in found}


@pytest.mark.parametrize("kind", ["xgboost", "logistic"])
def test_models_of_this_package_pass(altered, kind):
    found = rules(altered(kind, lambda content: None))
    assert set(found.values()) == {"pass"}
    assert {"format", "examples", "training", "words", "rows"} <= set(found)
    assert ("trees" in found) == (kind == "xgboost") == ("quantiles" not in found)


def nothing_but(rule, path, policy=POLICY):
    """The finding of the only rule that is broken."""
    (found,) = (f for f in model_files.check(path, policy) if f.status != "pass")
    assert found.rule == rule
    return found


def test_leaves_and_categories_of_few_patients_are_refused(tmp_path, altered):
    path = write(tmp_path, "xgboost", n_estimators=5, min_child_weight=2.5)
    fewest = json.loads(path.read_text())["training"]["fewest"]
    assert fewest >= 10  # at most a quarter of weight for each
    assert rules(path, Policy(min_count=fewest))["fewest"] == "pass"
    assert rules(path, Policy(min_count=fewest + 1))["fewest"] == "refuse"
    for kind, what in (("xgboost", "leaf of its trees"), ("logistic", "category with a weight")):
        old = altered(kind, lambda content: content["training"].pop("fewest"))
        assert f"smallest {what} has is not said" in nothing_but("fewest", old).sentence
        few = altered(kind, lambda content: content["training"].update(fewest=5))
        assert "has is fewer than 10" in nothing_but("fewest", few).sentence


def test_the_smallest_leaf_and_the_rarest_category_are_counted():
    X, y = drawn()
    model = build("xgboost", SCHEMA, n_estimators=3, max_depth=1, learning_rate=1.0).fit(X, y)
    trees = model[-1].get_booster().trees_to_dataframe()
    seen = []
    matrix = SCHEMA.encode(X)
    for _, tree in trees.groupby("Tree"):  # stumps: counted by hand
        top = tree.iloc[0]
        column = matrix[:, int(top["Feature"][1:])]
        left = np.where(np.isnan(column), top["Missing"] == top["Yes"], column < top["Split"])
        seen += [int(left.sum()), int((~left.astype(bool)).sum())]
    assert shared.least(model, X, 1) == {"fewest": min(seen)}
    assert shared.least(model, X, 5) == {"fewest": min(seen) // 5 * 5}
    model = build("logistic", SCHEMA).fit(X, y)
    counts = [*X["gender"].value_counts()["count"], X["wait"].null_count()]
    assert shared.least(model, X, 1) == {"fewest": min(counts)}
    eight = X.with_columns(gender=pl.Series(["other"] * 8 + ["male"] * 692))
    model = build("logistic", SCHEMA).fit(eight, y)  # too rare for a weight
    assert shared.least(model, eight, 1) == {"fewest": X["wait"].null_count()}


def tree(content):
    return content["parameters"]["learner"]["gradient_booster"]["model"]["trees"][0]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: tree(c).update(sum_hessian=[5.0] * len(tree(c)["sum_hessian"])), "sum_hessian"),
        (lambda c: tree(c).update(background=[1.0, 2.0]), "tree/background"),
        (lambda c: c["parameters"]["learner"].update(attributes={"row": "3"}), "attributes"),
        (lambda c: c["parameters"].update(support_vectors=[[1.0]]), "/support_vectors"),
    ],
)
def test_what_trees_hold_besides_is_refused(altered, change, what):
    assert what in nothing_but("trees", altered("xgboost", change)).sentence


def test_patients_in_place_of_examples_are_refused(altered):
    def exchange(content):
        X, _ = drawn()
        model = saved.read(altered("xgboost", lambda c: None))
        content["examples"]["features"] = X.head(8).to_dict(as_series=False)
        p = model.predict(X.head(8), outcome="recovery", landmark=0).p
        content["examples"]["p"] = p.tolist()

    found = nothing_but("examples", altered("xgboost", exchange))
    assert "they may be patients" in found.sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c["training"].update({"gender = other": 0.009}), "fewer than 10 people"),
        (lambda c: c["training"].update({"wait: recorded": 0.995}), "all but as few"),
        (lambda c: c["training"].update(share=99.5), "1 shares of the training data"),
        (lambda c: c["training"].update({"phq9: least": 3}), "not known: phq9: least"),
        (lambda c: c["training"].update({"gender = male": "Ann"}), "not known: gender = male"),
        (lambda c: c["performance"].update(who="ann"), "not known: who"),
    ],
)
def test_what_the_file_tells_of_the_training_data(altered, change, sentence):
    assert sentence in nothing_but("training", altered("logistic", change)).sentence


def test_numbers_of_people_are_rounded_and_not_small(altered):
    odd = altered("logistic", lambda c: c["training"].update(n_assessment=703))
    assert nothing_but("n_assessment", odd).status == "review"
    few = altered("logistic", lambda c: c["training"].update(n_assessment=5))
    assert "Fewer than 10 people stand behind" in nothing_but("n_assessment", few).sentence


def test_ranges_that_look_like_those_of_patients_are_reviewed(altered):
    def seen(content):
        content["features"]["numeric"][1] |= {"low": 0, "high": 173.25}
        made = saved.made_up(replace(SCHEMA, numeric=tuple(
            replace(f, high=173.25) if f.name == "wait" else f for f in SCHEMA.numeric
        )))  # fmt: skip
        model = replace(saved.read(altered("logistic", lambda c: None)))
        p = model.predict(made, outcome="recovery", landmark=0).p
        content["examples"] = {"features": made.to_dict(as_series=False), "p": p.tolist()}

    found = nothing_but("ranges", altered("logistic", seen))
    assert (found.status, found.evidence) == ("review", {"features": ["wait"]})


def test_quantiles_have_enough_patients_on_either_side(files, altered, tmp_path):
    path = altered("logistic", lambda content: None)
    # knots are at 5 %: of 700 that is 35 patients
    assert rules(path, Policy(percentile=34))["quantiles"] == "pass"
    assert rules(path, Policy(percentile=36))["quantiles"] == "refuse"
    small = write(tmp_path, "logistic", 150)
    assert "Medians or knots of 1 features" in nothing_but("quantiles", small).sentence


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("run in /home/ann/models", "a path of a machine"),
        (r"C:\Users\ann", "a path of a machine"),
        ("ask ann@example.org", "an e-mail address"),
        ("of 943 476 5919", "a number of ten digits"),
        ("of deadbeefdeadbeef", "a pseudonym or key"),
        ("seen on 2024-03-01", "a day"),
        ("near CB2 1TN", "a postcode"),
    ],
)
def test_words_that_name_somebody_are_refused(altered, text, what):
    found = nothing_but("words", altered("xgboost", lambda c: c.update(not_for=text)))
    assert f"The text at not_for looks like {what}" in found.sentence
    assert text not in json.dumps(found.to_json())


def test_what_is_as_long_as_the_data_is_refused(altered):
    def carry(content):
        n = content["training"]["n_detail"]
        content["parameters"]["rows"] = list(range(n + 1))  # rounded to 5, so one more may be all

    path = altered("xgboost", carry)
    assert rules(path)["rows"] == rules(path)["trees"] == "refuse"
    path = altered("xgboost", lambda c: c["parameters"].update(rows=list(range(1001))))
    assert rules(path)["rows"] == "refuse"


def test_broken_and_unknown_files_are_refused(altered, tmp_path, files):
    assert "at more: Extra inputs" in nothing_but(
        "format", altered("xgboost", lambda c: c.update(more=1))
    ).sentence  # fmt: skip
    path = tmp_path / "model.json"
    for text in ("", "[]", '{"format": "pickle"}', "\x00"):
        path.write_text(text)
        assert "no model of a format that can be checked" in nothing_but("format", path).sentence
    path.write_text(files["xgboost"].replace("Tests.", "Else."))
    assert "was changed or damaged" in nothing_but("format", path).sentence
    assert "no model of a format" in nothing_but("format", tmp_path / "absent.json").sentence


@pytest.fixture
def latent(tmp_path):
    """A latent Markov model of two states, saved."""

    def write(shares=(0.25, 0.75), n_people=400, fitted_to="drawn answers"):
        model = LatentMarkov(2, n_categories=[3])
        model.initial_probs_ = np.array(shares)
        model.transition_matrix_ = np.array([[0.9, 0.1], [0.2, 0.8]])
        model.item_probs_ = np.array([[[0.7, 0.2, 0.1]], [[0.1, 0.2, 0.7]]])
        model.one_occasion_, model.n_items_, model._longest = False, 1, 2
        model._levels, model._n_covariates = np.array([3]), (0, 0)
        model.n_people_, model.n_parameters_, model.converged_ = n_people, 7, True
        model.log_likelihood_, model.bic_ = -500.0, 1040.0
        path = tmp_path / "model.json"
        states.save(path, model, items=["q1"], fitted_to=fitted_to)
        return path

    return write


def test_models_of_states(latent):
    assert set(rules(latent()).values()) == {"pass"}
    found = nothing_but("states", latent(shares=(0.02, 0.98)))
    assert "1 of 2 states have fewer than 10 people at the start" in found.sentence
    assert nothing_but("people", latent(n_people=401)).status == "review"
    assert rules(latent(n_people=5))["people"] == "refuse"
    assert nothing_but("words", latent(fitted_to="/home/ann")).status == "refuse"
    path = latent()
    path.write_text(path.read_text().replace('"converged"', '"rows": [1], "converged"'))
    assert "at rows: Extra inputs" in nothing_but("format", path).sentence
