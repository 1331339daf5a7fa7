"""Typed parameters of an analysis, and runs: named sets of them in params/*.yaml."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from iesoresearch.errors import ParameterError

_RUN_OF_SITE = re.compile(r"(?!notebook-)[a-z0-9][a-z0-9_-]{0,59}")  # notebooks write their own


class AnalysisParams(BaseModel):
    """Base of every analysis's parameters: strict types, no unknown names, unchangeable.

    Every field changes results. Settings that do not (threads, folders) are no parameters.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    #: Parameters whose values name people or sites: nobody is shown them.
    private: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def shown(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` as they may be seen: of private ones only how many there are.

        No digest of a name stands in its place: who guesses a name could prove it by that.
        """
        return {
            name: _not_named(value) if name in cls.private else value
            for name, value in values.items()
        }

    @property
    def reads_patients(self) -> bool:
        """Whether the data may be patients' records, so that not even an error may quote them."""
        return True

    @property
    def shows_patients(self) -> bool:
        """Whether what is shown may come from patients' records, if only by released numbers."""
        return self.reads_patients

    @property
    def survey(self) -> dict[str, Any]:
        """Which cycles of NHANES are read: keywords of `data.locate.fingerprint`, if any."""
        return {}

    @property
    def files_beside(self) -> tuple[str, ...]:
        """Names, or absolute paths, of files that are read beside the data, such as a model."""
        return ()

    @property
    def open_beside(self) -> bool:
        """Whether these files are open data that no package carries, so that they may be absent."""
        return False

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> Self:
        """Validated parameters; `where` says in the message where the values came from.

        Raises
        ------
        ParameterError
            Naming every problem at once, with the closest known name for an unknown one.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            problems = "; ".join(cls._problem(e) for e in error.errors())
            raise ParameterError(f"{where}: {problems}.") from None

    @classmethod
    def _problem(cls, error: dict) -> str:
        name = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            return f"{name} is not a parameter{_suggestion(name, cls.model_fields)}"
        message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if not name:  # a rule about several parameters speaks for itself
            return message
        return f"{name}={error['input']!r} {message}"

    @classmethod
    def from_namespace(cls, namespace: MutableMapping[str, Any], where: str) -> Self:
        """Parameters among the variables of a notebook; a near miss of a name is an error.

        A name that was refused is removed from `namespace`, or it would be refused again after the
        cell has been corrected.
        """
        simple = (int, float, str, bool, list, type(None))
        near = {
            name: value
            for name, value in namespace.items()
            if name not in cls.model_fields
            and not name.startswith("_")
            and isinstance(value, simple)
            and difflib.get_close_matches(name, cls.model_fields, n=1, cutoff=0.8)
        }
        for name in near:
            del namespace[name]
        known = {name: namespace[name] for name in cls.model_fields if name in namespace}
        return cls.check({**known, **near}, where)

    @classmethod
    def cell(cls) -> str:
        """Source of the notebook's parameters cell: every field, its default, its meaning."""
        lines = []
        for name, field in cls.model_fields.items():
            lines.append(f"{name} = {field.default!r}  # {field.description}")
        return "\n".join(lines)


def _not_named(value: Any) -> Any:
    if not value:
        return value
    n = len(value) if isinstance(value, list | tuple) else 1
    return f"({n}, not named)"


def _suggestion(name: str, known) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f" (did you mean {close[0]}?)"
    return f" (the names are {', '.join(known)})"


DATA, JOBS = "IESORESEARCH_DATA", "IESORESEARCH_JOBS"


@dataclass(frozen=True)
class Settings:
    """What changes no result: folders to look for data in, and the number of threads."""

    search_path: tuple[Path, ...] = ()
    n_jobs: int = 1

    @classmethod
    def from_environment(cls) -> Settings:
        """As the runner, or the user of a notebook, set them.

        ``IESORESEARCH_DATA`` holds folders, separated as in PATH, ``IESORESEARCH_JOBS`` a number.
        """
        folders = os.environ.get(DATA, "")
        jobs = os.environ.get(JOBS) or str(os.cpu_count() or 1)
        if not jobs.isdigit() or int(jobs) < 1:
            raise ParameterError(f"{JOBS}={jobs!r} must be a whole number of at least 1.")
        return cls(tuple(Path(part) for part in folders.split(os.pathsep) if part), int(jobs))


@dataclass(frozen=True)
class RunSpec:
    """One run: which analysis, which notebook, which parameters (not yet checked)."""

    name: str
    analysis: str
    notebook: str
    parameters: dict[str, Any]

    def with_parameters(self, changes: Mapping[str, Any]) -> RunSpec:
        """The same run with some parameters changed."""
        return replace(self, parameters={**self.parameters, **changes})


def known_runs(params_dir: Path) -> list[str]:
    """Names of the runs of a project that have a file of their own, sorted."""
    no_runs = {"paper", "site", "disclosure"}
    return sorted({p.stem for p in params_dir.glob("*.yaml")} - no_runs)


def paper_runs(params_dir: Path) -> list[str]:
    """Names of the runs that make the paper, in its order."""
    content = _read_yaml(params_dir / "paper.yaml")
    runs = content.get("runs") if isinstance(content, dict) else None
    if not isinstance(runs, list) or not runs:
        raise ParameterError(
            f"{params_dir / 'paper.yaml'} must hold a list of run names under 'runs:'."
        )
    return [str(run) for run in runs]


def site_runs(params_dir: Path) -> dict[str, dict[str, Any]]:
    """Runs that a site makes on its own records, in their order: params/site.yaml.

    Returns
    -------
    dict of dict
        By name: ``run``, whose parameters hold, and ``parameters``, those that are changed.

    Raises
    ------
    ParameterError
        The file is not of this form, or a run is called as something else is.
    """
    path = params_dir / "site.yaml"
    content = _read_yaml(path) if path.is_file() else {"runs": {}}
    runs = content.get("runs") if isinstance(content, dict) else None
    if not isinstance(runs, dict):
        raise ParameterError(f"{path} must hold runs by their names under 'runs:'.")
    taken = {"report", "not-applicable", "failed", *known_runs(params_dir)}
    for name, of in runs.items():
        if name in taken or not _RUN_OF_SITE.fullmatch(str(name)):
            raise ParameterError(
                f"{path}: no run of a site can be called {name!r}: something else is, or it is no "
                "name of a folder. Call it as what it runs, with site- before it: site-cohort."
            )
        sound = isinstance(of, dict) and isinstance(of.get("run"), str)
        if not sound or set(of) - {"run", "parameters"}:
            raise ParameterError(
                f"{path}: {name} must name a run, such as {{run: cohort}}, and may change its "
                "'parameters'."
            )
    return runs


def all_runs(params_dir: Path) -> list[str]:
    """Names of all runs that `load_run` can read."""
    return [*known_runs(params_dir), *site_runs(params_dir)]


def where_records(source: str | None) -> str:
    """What a command says of the records of a site, for `source`; nobody is told their place."""
    return " --site SITE --data DIR" if source == "folder" else ""


def load_run(params_dir: Path, name: str) -> RunSpec:
    """Read params/<name>.yaml, or what params/site.yaml makes of one.

    Raises
    ------
    ParameterError
        No such run, or a file that is not of the form {analysis, notebook, parameters}.
    """
    at_site = site_runs(params_dir).get(name)
    if at_site is not None:
        changes = {"source": "folder"} | dict(at_site.get("parameters") or {})
        return replace(load_run(params_dir, at_site["run"]).with_parameters(changes), name=name)
    known = known_runs(params_dir)
    if name not in known:
        raise ParameterError(
            f"There is no run called {name!r} (no file params/{name}.yaml)"
            f"{_suggestion(name, known)}."
        )
    path = params_dir / f"{name}.yaml"
    content = _read_yaml(path)
    keys = {"analysis": str, "notebook": str, "parameters": dict}
    if not isinstance(content, dict) or set(content) != set(keys):
        raise ParameterError(f"{path} must hold exactly the keys {', '.join(keys)}.")
    for key, kind in keys.items():
        if not isinstance(content[key], kind):
            raise ParameterError(f"{path}: {key} must be a {kind.__name__}, not {content[key]!r}.")
    return RunSpec(name, **content)


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """``name=value`` pairs of the command line; values are YAML scalars or flow lists."""
    values = {}
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ParameterError(f"-p {text!r} is not of the form name=value.")
        try:
            values[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ParameterError(
                f"-p {text!r}: the value is neither a YAML scalar nor a list like [1, 2]."
            ) from None
    return values


def canonical_json(values: Mapping[str, Any]) -> str:
    """The one way to write parameters down, so that equal parameters have equal hashes."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def _read_yaml(path: Path):
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f" near line {line + 1}" if line is not None else ""
        raise ParameterError(
            f"{path} is not readable as YAML{place}. Mend the file, or restore it from git."
        ) from None
