"""Base of what people write for the library: strict types, and every problem at once."""

import difflib
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from iesoresearch.errors import ParameterError


class Strict(BaseModel):
    """A part of an agreement: strict types, no unknown names, unchangeable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> Self:
        """Validated fields; `where` says in the message where they came from.

        Raises
        ------
        ParameterError
            Naming every problem at once, with the closest known name for an unknown one.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = "; ".join(_problem(cls, e) for e in error.errors())
            raise ParameterError(f"{where}: {problems}.") from None


def meant(name: str, known: Iterable[str]) -> str:
    """Which of the known names may have been meant, to be put behind a name."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    if close:
        return f" (did you mean {close[0]}?)"
    return f" (known: {', '.join(known)})" if known else ""


def _problem(model: type[Strict], error: Mapping[str, Any]) -> str:
    *path, last = error["loc"]
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no {name}{meant(str(last), _at(model, path).model_fields)}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] in ("string_too_short", "too_short"):
        return f"{name} is blank"
    if error["type"] == "value_error":
        return f"{name}: {message}"
    return f"{name}={error['input']!r} {message}"


def _at(model: type[BaseModel], path: list) -> type[BaseModel]:
    """The model a place belongs to, through lists and options."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            inner = _models(model.model_fields[part].annotation)
            model = inner[0] if inner else model
    return model


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in typing.get_args(annotation) for m in _models(part)]
