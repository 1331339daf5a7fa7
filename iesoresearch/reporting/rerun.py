"""How to run a run again: the exact commands, and what its parameters mean."""

import json
import shlex
from functools import cache
from typing import Any

from iesoresearch import analyses
from iesoresearch.errors import ParameterError
from iesoresearch.params import AnalysisParams, where_records
from iesoresearch.reporting.runs import Run


def reads_records(run: Run) -> bool:
    """Whether the run was made of the folder of a site, so that a command must say where it is."""
    return bool(where_records(run.status["parameters"].get("source")))


def command(run: Run) -> str:
    """The command that makes the run as it is."""
    others = _shown(run, run.other_parameters)
    changes = [f" -p {_assignment(n, value)}" for n, value in others.items()]
    where = where_records(run.status["parameters"].get("source"))
    return f"iesoresearch run {shlex.quote(run.status['run'])}{''.join(changes)}{where}"


def command_with_change(run: Run) -> str:
    """The command that makes the run with one parameter changed, to a value that is allowed."""
    change = _example_change(run)
    return f"{command(run)} -p {change}" if change else command(run)


def on_page(run: Run) -> str:
    """Markdown: how to make the run again, and how with other parameters."""
    places = " SITE is the name of the site, DIR the folder of its tables." * reads_records(run)
    return (
        f"```text\n{command(run)}\n{command_with_change(run)}\n```\n\n"
        "The first line makes the run as it is, if anything it depends on has changed; the second "
        "with another value of one parameter. Both replace this run; to keep it, add `--out` and "
        "the name of another folder, and build a report of that folder with `iesoresearch report` "
        f"and its name.{places}\n"
    )


def meanings(run: Run) -> dict[str, str]:
    """What each parameter means, in the words of its analysis."""
    model = _model(run.status["analysis"])
    if model is None:
        return {}
    return {name: field.description or "" for name, field in model.model_fields.items()}


def in_order(run: Run) -> dict[str, Any]:
    """Parameters of a run as they may be seen, in the order of its analysis."""
    values = _shown(run, run.status["parameters"])
    return {n: values[n] for n in dict.fromkeys([*meanings(run), *values]) if n in values}


def _shown(run: Run, values: dict[str, Any]) -> dict[str, Any]:
    """Without the values of private parameters."""
    model = _model(run.status["analysis"])
    return values if model is None else model.shown(values)


@cache
def _model(analysis: str) -> type[AnalysisParams] | None:
    try:
        return analyses.get(analysis).Params
    except ParameterError:  # made by a package that knew more analyses, or fewer
        return None


def _example_change(run: Run) -> str | None:
    """``name=value`` that differs from the run and is allowed: a choice left open, else any."""
    model = _model(run.status["analysis"])
    if model is None:
        return None
    values = {name: run.status["parameters"][name] for name in in_order(run)}
    left_open = [name for name, value in values.items() if value is None]
    numbers = [name for name, value in values.items() if type(value) is int]
    if reads_records(run):  # how many are drawn means nothing where records are read
        numbers.sort(key=lambda name: name != "seed")
    for name in [*left_open, *numbers]:
        for value in (4, 3, 2, 1) if values[name] is None else (values[name] + 1,):
            try:
                model.check({**values, name: value}, run.name)
            except ParameterError:
                continue
            return _assignment(name, value)
    return None


def _assignment(name: str, value: Any) -> str:
    return shlex.quote(f"{name}={json.dumps(value)}")  # JSON is YAML
