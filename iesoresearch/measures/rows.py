"""Read a table of typed rows that a site writes itself, as YAML."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from iesoresearch.errors import ParameterError


class Row(BaseModel):
    """One row: strict types, no unknown names, unchangeable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def read(cls, path: Path) -> tuple[Self, ...]:
        """All rows of a file.

        Raises
        ------
        ParameterError
            The file cannot be read, is no list, or rows are wrong: every problem at once.
        """
        content = _read_list(Path(path), ", ".join(cls.model_fields))
        rows, problems = [], []
        for number, values in enumerate(content, start=1):
            try:
                rows.append(cls.model_validate(values))
            except ValidationError as error:
                problems += [f"row {number}: {_in_words(e)}" for e in error.errors()]
        if problems:
            raise ParameterError(f"{path}: {'; '.join(problems)}. Mend these rows.")
        return tuple(rows)


def _read_list(path: Path, fields: str) -> list:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ParameterError(
            f"{path} is not readable as YAML. Write a list of rows, each with {fields}."
        ) from None
    if not isinstance(content, list) or not content:
        raise ParameterError(f"{path} must hold a list of rows, each with {fields}.")
    return content


def _in_words(error: dict) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a field"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name} {message[:1].lower()}{message[1:]}".strip()
