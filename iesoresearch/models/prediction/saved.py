"""A shared model as a JSON file that people can read and programs can trust.

Reading it runs no code. It holds made-up patients with their predictions, which are computed again
when it is read: with other versions of packages it predicts the same, or is refused.
"""

import json
import re
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iesoresearch.errors import DataError
from iesoresearch.files import write_text
from iesoresearch.hashes import digest
from iesoresearch.models.prediction.pipelines import Kind, Schema
from iesoresearch.models.prediction.shared import PACKAGES, SharedModel, Update
from iesoresearch.seeds import rng

FORMAT = "iesoresearch prediction model"
VERSION = 1
LARGEST = 20_000_000  # bytes; 200 trees of depth 4 take 400,000
AGREE = 1e-6  # between example predictions here and where the file was written
_EXAMPLES = 8
#: Attributes of the model that are in the file as they are.
_SAVED = (
    *("outcome", "landmark", "kind", "intended_use", "not_for", "training", "performance"),
    "versions",
)
NOTES = (
    "Examples are made-up patients, drawn from the ranges of the features. Medians and knots are "
    "of at least 10 rows, every leaf of a tree holds at least 10, and rarer categories "
    "have no weight."
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Examples(_Strict):
    features: dict[str, list[float | str | None]]
    p: list[float]


class _File(_Strict):
    """What is in the file, in this order."""

    format: Literal[FORMAT]
    version: Literal[VERSION]
    hash: str
    outcome: str = Field(min_length=1)
    landmark: int = Field(ge=0)
    kind: Kind
    intended_use: str = Field(min_length=1)
    not_for: str = Field(min_length=1)
    features: Schema
    training: dict[str, int | float | str | None]
    performance: dict[str, int | float | str | None]
    versions: dict[str, str]
    update: Update | None
    notes: str
    examples: _Examples
    parameters: dict[str, Any]


def write(path: Path, model: SharedModel) -> None:
    """Write a model to a file, completely or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    table = made_up(model.schema)
    p = model.predict(table, outcome=model.outcome, landmark=model.landmark).p
    content = {
        **{"format": FORMAT, "version": VERSION, "hash": ""},
        **{name: getattr(model, name) for name in _SAVED},
        "features": asdict(model.schema),
        "update": model.update.model_dump() if model.update else None,
        "notes": NOTES,
        "examples": {"features": table.to_dict(as_series=False), "p": p.tolist()},
        "parameters": model.parameters,
    }
    content["hash"] = _hash(content)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    # lists of numbers on one line; no string holds a line break
    text = re.sub(r"\[\n[^\[\]{}\"]*\]", lambda m: re.sub(r"\s+", " ", m.group()), text)
    write_text(Path(path), text + "\n")


def read(path: Path) -> SharedModel:
    """A model that `write` wrote.

    Raises
    ------
    DataError
        The file is not there, no model, of another format or version, damaged, larger than
        `LARGEST`, or predicts otherwise with the versions of packages that are here.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path.name} is larger than {LARGEST:,} bytes: no shared model is.")
        text = path.read_bytes().decode("utf-8")
        content = json.loads(text)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}). Name a model.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path.name} is no JSON file, so no shared model. Ask for it anew."
        ) from None
    file = _checked(path.name, text, content)
    saved = {name: getattr(file, name) for name in _SAVED}
    model = SharedModel(
        schema=file.features, update=file.update, parameters=file.parameters, **saved
    )
    return replace(model, remark=_agreement(path.name, model, file.examples))


def _checked(name: str, text: str, content: Any) -> _File:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{name} is no shared model: its format is not {FORMAT!r}.")
    if content.get("version") != VERSION:
        raise DataError(
            f"{name} has another version of the format than {VERSION}, the only one this package "
            "reads. Read it with the package that wrote it."
        )
    if content.get("hash") != _hash(content):
        raise DataError(f"{name} was changed or damaged after it was written. Ask for it anew.")
    try:
        return _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = " → ".join(str(part) for part in first["loc"])
        raise DataError(f"{name} is no model, at {where}: {first['msg']}.") from None


def _agreement(name: str, model: SharedModel, examples: _Examples) -> str | None:
    """What is to be said about versions, if the examples come out as they should."""
    types = {f.name: pl.Float64 for f in model.schema.numeric}
    types |= {f.name: pl.String for f in model.schema.categorical}
    others = [f"{package} {was} ({now} here)" for package, was in model.versions.items()
              if package in PACKAGES and was != (now := version(package))]  # fmt: skip
    try:
        table = pl.DataFrame(examples.features, schema=types)
        p = model.predict(table, outcome=model.outcome, landmark=model.landmark).p
    except DataError as error:
        raise DataError(f"{name} is no model: {error}. Ask for it anew.") from None
    except (pl.exceptions.PolarsError, TypeError, ValueError, KeyError):
        raise DataError(f"{name} is no model: its examples are not of its features.") from None
    if p.shape != np.shape(examples.p) or not np.allclose(p, examples.p, rtol=0, atol=AGREE):
        raise DataError(
            f"{name} does not predict here what it predicted where it was written, with "
            f"{', '.join(others) or 'the same packages'}. Install the versions it names."
        )
    if others:
        return f"Written with {', '.join(others)}; its example predictions are the same here."
    return None


def _hash(content: dict[str, Any]) -> str:
    plain = {name: value for name, value in content.items() if name != "hash"}
    return digest(json.dumps(plain, sort_keys=True).encode())


def made_up(schema: Schema) -> pl.DataFrame:
    """The patients of the examples: drawn from the ranges of a schema, with gaps.

    The same of every schema, so that anybody can see that nobody stands behind them.
    """
    random, columns = rng(0, "examples"), {}
    for f in schema.numeric:
        columns[f.name] = random.uniform(f.low, f.high, _EXAMPLES).tolist()
    for f in schema.categorical:
        columns[f.name] = random.choice(f.categories, _EXAMPLES).tolist()
    for values in columns.values():
        values[int(random.integers(_EXAMPLES))] = None
    return pl.DataFrame(columns)
