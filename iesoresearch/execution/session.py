"""What the cells of a notebook call: one analysis, from checked parameters to saved results."""

import os
from collections.abc import MutableMapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from iesoresearch import analyses, files, project, stored
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import AnalysisError
from iesoresearch.execution.display import FigureView, MarkdownView, TableView, View, checks_view
from iesoresearch.params import Settings
from iesoresearch.results import SIMULATED, TEXT, Result

OUT = "IESORESEARCH_OUT"


def open_analysis(name: str, namespace: MutableMapping[str, Any]) -> "Session":
    """Start the analysis called `name` with the parameters among a notebook's variables.

    Parameters
    ----------
    name
        Of the analysis, such as "subtypes".
    namespace
        Usually ``globals()``: holds the variables of the parameters cell.

    Raises
    ------
    ParameterError
        Unknown analysis or name, wrong type, or out of bounds.
    """
    params = analyses.get(name).Params.from_namespace(namespace, f"Parameters of {name}")
    return Session(name, params, Settings.from_environment())


class Session:
    """One analysis in a notebook. Nothing it shows or saves has not been released."""

    def __init__(self, name: str, params, settings: Settings):
        self.name = name
        self.settings = settings
        self._params = params
        self._project = project.find()
        self._policy = Policy.read(self._project.params / "disclosure.yaml")
        self._released: Result | None = None
        self._private: dict = {}

    @property
    def params(self) -> TableView:
        """The parameters, checked."""
        kind = type(self._params)
        values = kind.shown(self._params.model_dump())
        rows = [
            [name, str(values[name]), field.description]
            for name, field in kind.model_fields.items()
        ]
        return self._stamped(TableView("Parameters", ["Name", "Value", "Meaning"], rows))

    @cached_property
    def _data(self):
        return analyses.get(self.name).load(self._params, self.settings)

    @property
    def summary(self) -> TableView:
        """How much data there is."""
        table = analyses.get(self.name).summary(self._data)
        released = release(Result(tables={"summary": table}), self._policy)
        return self._stamped(TableView.of(released.tables["summary"]))

    def run(self) -> TableView:
        """Compute, release, and show the checks."""
        result = analyses.get(self.name).run(self._data, self._params)
        released = release(result, self._policy)
        # apart, so that no cell can show the rows that are only to be saved
        self._private, self._released = released.private, replace(released, private={})
        checks = [(c.name, c.status, self.result.render(c.sentence)) for c in result.checks]
        return self._stamped(checks_view(checks))

    @property
    def result(self) -> Result:
        """The released result.

        Raises
        ------
        AnalysisError
            Nothing has been run yet.
        """
        if self._released is None:
            raise AnalysisError("There is no result yet. Run the cell with .run() first.")
        return self._released

    def table(self, name: str) -> TableView | MarkdownView:
        """A table of the result; a sentence where it does not apply to these data."""
        reason = self.result.not_applicable.get(name)
        if reason is not None:
            return self._stamped(MarkdownView(f"*{reason}*"))
        return self._stamped(TableView.of(self._named("tables", name)))

    def figure(self, name: str) -> FigureView | MarkdownView:
        """A figure of the result; a sentence where it does not apply to these data."""
        from iesoresearch import figures

        reason = self.result.not_applicable.get(name)
        if reason is not None:
            return self._stamped(MarkdownView(f"*{reason}*"))
        spec = self._named("figures", name)
        drawn = figures.draw(self.result, name, self.name)
        view = FigureView(drawn, spec.title, self.result.render(spec.caption))
        return self._stamped(view)

    def _named(self, kind: str, name: str):
        known = getattr(self.result, kind)
        if name not in known:
            raise AnalysisError(
                f"This result has no {kind[:-1]} called {name!r}; it has {', '.join(known)}."
            )
        return known[name]

    @property
    def text(self) -> MarkdownView:
        """Plain-language summary, how to read the result, what it cannot say."""
        parts = [
            f"**{TEXT[name]}.** {self.result.render(template)}"
            for name, template in self.result.text.items()
            if name in TEXT
        ]
        if self.result.provenance.get("sensitivity") == "synthetic":
            parts.insert(0, f"**{SIMULATED}.**")
        return self._stamped(MarkdownView("\n\n".join(parts)))

    def save(self) -> MarkdownView:
        """Write tables, figures, numbers and checks, and the rows for later analyses.

        Under the runner they go into the folder of the run; from JupyterLab into
        ``reports/out/notebook-<analysis>``, which never counts as a run.
        """
        from iesoresearch import figures
        from iesoresearch.figures.style import save

        target = os.environ.get(OUT)
        target = Path(target) if target else self._project.out / f"notebook-{self.name}"
        with files.writing(target):
            target.mkdir(parents=True, exist_ok=True)
        stored.write_result(
            self.result,
            target,
            lambda name, where: save(figures.draw(self.result, name, self.name), where, name),
        )
        files.write_private(target, self._private)
        counted = {
            k: len(getattr(self.result, k)) for k in ("tables", "figures", "numbers", "checks")
        }
        said = ", ".join(f"{n} {kind}" for kind, n in counted.items())
        return self._stamped(MarkdownView(f"Saved: {said}."))

    def _stamped[V: View](self, view: V) -> V:
        return view.stamped(self._params.shows_patients)
