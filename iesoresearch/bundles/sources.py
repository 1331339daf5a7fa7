"""Finished runs that are to leave a site, read from their folders; what must not leave stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from iesoresearch import stored
from iesoresearch.bundles import traces
from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, DisclosureError, ParameterError
from iesoresearch.files import read_status
from iesoresearch.params import where_records
from iesoresearch.results import Result

WITHHELD = "(withheld: words of the site)"

#: Of the status of a run: what of it is different in the project today, in words.
Changed = Callable[[Mapping[str, Any]], Sequence[str]]
#: Of the status of a run: names of parameters whose words come from the package, not from the site.
Worded = Callable[[Mapping[str, Any]], Sequence[str]]

_OF_STATUS = (*("analysis", "notebook", "key", "inputs", "versions", "started", "seconds"),)


@dataclass(frozen=True)
class Source:
    """A finished run.

    Attributes
    ----------
    name
        Of the run.
    result
        Released.
    described
        What the manifest says of it.
    folder
        Name of the folder of patients' records it was made of; empty of other data.
    """

    name: str
    result: Result
    described: dict[str, Any] = field(default_factory=dict)
    folder: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of its data."""
        return self.described["data"]["fingerprint"]


def read(folder: Path, policy: Policy, changed: Changed, worded: Worded) -> Source:
    """The run in `folder`, if it may leave as far as can be told without its numbers.

    Raises
    ------
    DataError
        It has no valid result.
    ParameterError
        It was made with another project than there is today.
    DisclosureError
        It was released under another policy.
    """
    name, status = folder.name, read_status(folder)
    if status is None or status.get("run") != name or status.get("outcome") != "finished":
        raise DataError(
            f"Run {name} has no valid result in {folder.parent}: it was never finished, it failed, "
            f"or a file of it was changed since. Run it again: {_again(name, status)}"
        )
    others = list(changed(status))
    if others:
        raise ParameterError(
            f"Run {name} is not up to date: {', '.join(others)} changed since it was made. What "
            f"leaves a site must be what anybody can make again. Run it: {_again(name, status)}"
        )
    result = stored.read_result(folder)
    _refuse_unreleased(_again(name, status), name, result, policy)
    shown = traces.without_name_of_data(result)
    named = "" if shown is result else str(result.provenance["data"])
    return Source(name, shown, _described(status, shown, set(worded(status))), named)


def _again(name: str, status: Mapping[str, Any] | None) -> str:
    """The command that makes a run, as far as can be told without knowing where records lie."""
    source = (status or {}).get("parameters", {}).get("source", "folder")
    return f"iesoresearch run {name}{where_records(source)}"


def _refuse_unreleased(again: str, name: str, result: Result, policy: Policy) -> None:
    applied = result.provenance.get("disclosure")
    if applied != policy.applied:
        raise DisclosureError(
            f"Run {name} was not released under the disclosure policy of today. Run it again: "
            f"{again}"
        )


def _described(status: Mapping[str, Any], result: Result, worded: set[str]) -> dict[str, Any]:
    provenance = result.provenance
    said = {name: status[name] for name in _OF_STATUS}
    parameters = status["parameters"]
    return said | {
        "notebook": PurePosixPath(status["notebook"]).name,
        "title": str(provenance.get("title", status["analysis"])),
        "parameters": {k: v if k in worded else _no_words(v) for k, v in parameters.items()},
        "sensitivity": provenance.get("sensitivity", "patient"),
        "data": {
            "name": str(provenance.get("data", "data without a name")),
            "fingerprint": str(provenance.get("data_fingerprint", status["inputs"].get("data"))),
        },
    }


def _no_words(value: Any) -> Any:
    """A parameter without words that somebody typed: a file may be called after a patient."""
    if isinstance(value, str | Mapping):
        return WITHHELD
    if isinstance(value, list | tuple):
        return [_no_words(item) for item in value]
    return value
