"""A fitted model as a JSON file that people can read and programs can trust.

Everything that predictions need is written, with names, as plain numbers: loading runs no code, and
the loaded model predicts the same to the bit. What this version cannot write it refuses to save,
and what it does not know it refuses to load.
"""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.files import write_text
from iesoresearch.models.latent_markov.estimator import LatentMarkov

FORMAT = "iesoresearch latent Markov model"
VERSION = 1
LARGEST = 10_000_000  # bytes; fourteen states of nine items take 60,000
_SUM = 1e-8  # how far from one the sum of a row may be

#: Parameters of the estimator that say how it was fitted, not what it is.
_SETTINGS = {
    *("n_states", "n_categories", "n_starts", "max_iter", "tol", "random_state", "n_jobs", "init"),
    "accelerate",
}
#: Parameters that say what it is, saved under their names.
_OPTIONS = ("transitions", "stayers", "items", "dependent_pairs")
#: Fitted arrays that not every model has, saved under their names without the last underscore.
_OPTIONAL = ("stayer_shares", "dropout_probs", "pair_associations")
#: Fitted attributes that belong to the data of the fit and that predictions do not need.
_LEFT_OUT = {
    *("aic_", "answer_counts_", "bic_observations_", "entropy_", "icl_", "n_iter_", "separated_"),
    *("n_observations_", "starts_", "state_counts_", "degeneracies_"),
}
_FIGURES = ("n_people", "n_parameters", "log_likelihood", "bic", "converged")
_ARRAYS = ("initial_probs", "transition_matrix", "item_probs", *_OPTIONAL)
_SAVED = {f"{name}_" for name in (*_FIGURES, *_ARRAYS, "one_occasion", "n_items")}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Item(_Strict):
    name: str = Field(min_length=1)
    levels: int = Field(ge=2, le=128)


class _Options(_Strict):
    transitions: Literal["homogeneous", "by_occasion"] = "homogeneous"
    stayers: bool = False
    items: Literal["free", "ordinal"] = "free"
    dependent_pairs: list[list[int]] = []


class _Parameters(_Strict):
    initial_probs: list[float]
    transition_matrix: list[list[float]] | list[list[list[float]]] | None
    item_probs: list[list[list[float]]]
    stayer_shares: list[float] | None = None
    dropout_probs: list[float] | None = None
    pair_associations: list[float] | None = None


class _File(_Strict):
    """What is in the file, in this order."""

    format: Literal[FORMAT]
    version: Literal[VERSION]
    package: str
    fitted_to: str
    n_people: int | float = Field(gt=0)  # a sum of weights is no whole number
    n_parameters: int = Field(ge=0)
    log_likelihood: float
    bic: float | None  # none of a model fitted with survey weights
    converged: bool
    n_states: int = Field(ge=1)
    most_sessions: int = Field(ge=1)
    options: _Options
    items: list[_Item] = Field(min_length=1)
    parameters: _Parameters


@dataclass(frozen=True)
class Saved:
    """What `load` found.

    Attributes
    ----------
    model : LatentMarkov
        Predicts, scores and draws; what belongs to the data of its fit, such as `starts_`, it has
        not.
    items : tuple of str
        Names of its items, in order.
    fitted_to : str
        What it was fitted to, in the words of who saved it.
    package : str
        Version of the package that saved it.
    """

    model: LatentMarkov
    items: tuple[str, ...]
    fitted_to: str
    package: str


def save(path: Path, model: LatentMarkov, *, items, fitted_to: str) -> None:
    """Write a fitted model as JSON.

    Parameters
    ----------
    path
        Of the file; written completely or not at all.
    model
        Fitted; not a ladder, whose answers follow a formula that the file has no place for.
    items
        Name of every item, in order, such as ``phq9_1``.
    fitted_to
        Which people and answers it was fitted to, in words; nothing that identifies anybody.

    Raises
    ------
    NotFittedError
        The model was not fitted.
    ParameterError
        It has an option or a result that this version does not know, or `items` are not its items.
    OutputError
        The file cannot be written.
    """
    model._check_fitted()
    _refuse_unknown(model)
    names = [str(name) for name in items]
    if len(names) != model.n_items_ or len(set(names)) < len(names) or "" in names:
        raise ParameterError(
            f"items must be {model.n_items_} different names, one for each item of the model, in "
            "the order of the columns it was fitted to."
        )
    write_text(Path(path), _text(_content(model, names, fitted_to)) + "\n")


def _refuse_unknown(model: LatentMarkov) -> None:
    if type(model) is not LatentMarkov:
        raise ParameterError(f"Only a LatentMarkov can be saved, and not a {type(model).__name__}.")
    defaults = model._parameter_defaults()
    known = _SETTINGS | set(_OPTIONS)
    unknown = [name for name, value in model.get_params().items()
               if name not in known and value is not defaults[name]]  # fmt: skip
    results = (name for name in vars(model) if name.endswith("_") and not name.startswith("_"))
    unknown += [name for name in results if name not in _SAVED | _LEFT_OUT]
    if unknown:
        raise ParameterError(
            f"The model has {', '.join(unknown)}, which version {VERSION} of the format cannot "
            "save; without it the loaded model would be another one. Fit without it."
        )


def _content(model: LatentMarkov, names: list[str], fitted_to: str) -> dict[str, Any]:
    levels = model._levels[: model.n_items_].tolist()
    options = {name: getattr(model, name) for name in _OPTIONS}
    options["dependent_pairs"] = [[int(i) for i in pair] for pair in model.dependent_pairs]
    figures = {name: _plain(getattr(model, f"{name}_")) for name in _FIGURES}
    arrays = {
        "initial_probs": model.initial_probs_.tolist(),
        "transition_matrix": None if model.one_occasion_ else model.transition_matrix_.tolist(),
        "item_probs": [
            [row[:n].tolist() for row, n in zip(state, levels, strict=True)]
            for state in model.item_probs_
        ],
    }
    for name in _OPTIONAL:
        if hasattr(model, f"{name}_"):
            arrays[name] = getattr(model, f"{name}_").tolist()
    return {
        "format": FORMAT,
        "version": VERSION,
        "package": version("iesoresearch"),
        "fitted_to": fitted_to,
        **figures,
        "n_states": int(model.n_states),
        "most_sessions": int(model._longest),
        "options": options,
        "items": [{"name": a, "levels": b} for a, b in zip(names, levels, strict=True)],
        "parameters": arrays,
    }


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _text(value: Any, indent: str = "") -> str:
    """JSON in which what holds no other list or object stands on one line."""
    if isinstance(value, dict):
        parts, ends = [(f"{json.dumps(name)}: ", part) for name, part in value.items()], "{}"
    elif isinstance(value, list):
        parts, ends = [("", part) for part in value], "[]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not any(isinstance(part, dict | list) for _, part in parts):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + " "
    lines = [f"{inner}{name}{_text(part, inner)}" for name, part in parts]
    return ends[0] + "\n" + ",\n".join(lines) + "\n" + indent + ends[1]


def load(path: Path) -> Saved:
    """Read a model that `save` wrote.

    Raises
    ------
    DataError
        The file is not there, is no model, of another format or version, larger than
        `LARGEST`, or holds numbers that no model has.
    """
    path = Path(path)
    file = _checked(path, _read(path))
    model = _model(path, file)
    names = tuple(item.name for item in file.items)
    return Saved(model, names, file.fitted_to, file.package)


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(
                f"{path.name} is larger than {LARGEST:,} bytes, which no saved model is. Name the "
                "file that was saved."
            )
        return json.loads(
            path.read_bytes().decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once
        )
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Name a saved model.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path.name} is no JSON file, so no saved model. Save it anew.") from None


def _no_number(name: str):
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _checked(path: Path, content: Any) -> _File:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path.name} is no saved model: its format is not {FORMAT!r}.")
    if content.get("version") != VERSION:
        raise DataError(
            f"{path.name} has another version of the format than {VERSION}, the only one this "
            "package reads. Load it with the package that saved it, and save it anew."
        )
    try:
        return _File.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = " → ".join(str(part) for part in first["loc"])
        raise _broken(path, f"at {where}: {first['msg']}") from None


def _broken(path: Path, what: str) -> DataError:
    return DataError(f"{path.name} is no model that could have been saved, {what}. Save it anew.")


def _model(path: Path, file: _File) -> LatentMarkov:
    k, parameters, options = file.n_states, file.parameters, file.options
    levels = [item.levels for item in file.items]
    if len({item.name for item in file.items}) < len(levels):
        raise _broken(path, "two items have one name")
    pairs = [tuple(pair) for pair in options.dependent_pairs]
    once = parameters.transition_matrix is None
    if once and file.most_sessions > 1:
        raise _broken(path, "it has several sessions and no transitions")
    model = LatentMarkov(
        k, n_categories=levels, **options.model_dump() | {"dependent_pairs": tuple(pairs)}
    )
    for name in _FIGURES:
        setattr(model, f"{name}_", getattr(file, name))
    model.one_occasion_, model.n_items_, model._longest = once, len(levels), file.most_sessions
    dropout = [2] if parameters.dropout_probs is not None else []
    model._levels, model._n_covariates = np.array(levels + dropout), (0, 0)
    model.item_probs_ = _item_probs(path, parameters.item_probs, k, levels)
    model.initial_probs_ = _array(path, "initial_probs", parameters.initial_probs, (k,))
    moves = (k, k) if options.transitions == "homogeneous" else (file.most_sessions - 1, k, k)
    model.transition_matrix_ = np.full((k, k), np.nan)
    if not once:
        model.transition_matrix_ = _array(
            path, "transition_matrix", parameters.transition_matrix, moves
        )
    _add_optional(path, model, parameters)
    return model


def _add_optional(path: Path, model: LatentMarkov, parameters: _Parameters) -> None:
    """Stayers, drop-out and dependent pairs, which are there if and only if they have a place."""
    shapes = {"dropout_probs": (model.n_states,)}
    if model.stayers:
        shapes["stayer_shares"] = (model.n_states,)
    if model.dependent_pairs:
        shapes["pair_associations"] = (len(model.dependent_pairs),)
        if not all(
            len({*pair}) == len(pair) == 2 and min(pair) >= 0 and max(pair) < model.n_items_
            for pair in model.dependent_pairs
        ):
            raise _broken(path, "dependent_pairs are no pairs of its items")
    for name in _OPTIONAL:
        values = getattr(parameters, name)
        if (values is None) == (name in shapes) and name != "dropout_probs":
            raise _broken(path, f"{name} does not fit the options")
        if values is not None:
            setattr(model, f"{name}_", _array(path, name, values, shapes[name]))


def _item_probs(path: Path, values: list, k: int, levels: list[int]) -> np.ndarray:
    """(states, items, most levels), with zeros beyond the levels of an item."""
    out = np.zeros((k, len(levels), max(levels)))
    if len(values) != k or any(len(state) != len(levels) for state in values):
        raise _broken(path, f"item_probs are not those of {k} states and {len(levels)} items")
    for j, n in enumerate(levels):
        rows = [state[j] for state in values]
        out[:, j, :n] = _array(path, "item_probs", rows, (k, n))
    return out


def _array(path: Path, name: str, values: list, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.array(values, dtype=float)
    except ValueError:  # rows of several lengths
        array = np.empty(0)
    if array.shape != shape:
        raise _broken(path, f"{name} has not the shape {shape}")
    if name == "pair_associations":
        return array
    if array.min(initial=0) < 0 or array.max(initial=0) > 1 + _SUM:
        raise _broken(path, f"{name} holds numbers that are no probabilities")
    rows_sum = name in ("initial_probs", "transition_matrix", "item_probs")
    if rows_sum and np.abs(array.sum(axis=-1) - 1).max(initial=0) > _SUM:
        raise _broken(path, f"rows of {name} do not sum to one")
    return array
