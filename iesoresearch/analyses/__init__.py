"""One package per analysis: ``Params`` in it, ``load``, ``summary`` and ``run`` in its ``study``.

An analysis is looked up by its name, which is also the name of its package.
"""

import importlib
import pkgutil
from dataclasses import dataclass

from iesoresearch.data import locate
from iesoresearch.errors import ParameterError
from iesoresearch.params import AnalysisParams, Settings
from iesoresearch.results import Result, Table


@dataclass(frozen=True)
class Analysis:
    """An analysis: its parameters at once, the scientific stack when something is computed."""

    name: str
    Params: type[AnalysisParams]

    def fingerprint(self, params: AnalysisParams, settings: Settings) -> str:
        """Hash of the data that `load` would read."""
        return locate.fingerprint(
            params.source,
            settings.search_path,
            **params.survey,
            beside=params.files_beside,
            may_lack=params.open_beside,
        )

    def load(self, params: AnalysisParams, settings: Settings):
        """The data that `params` name."""
        return self._study.load(params, settings)

    def summary(self, data) -> Table:
        """How much data there is."""
        return self._study.summary(data)

    def run(self, data, params: AnalysisParams) -> Result:
        """Everything that is computed."""
        return self._study.run(data, params)

    @property
    def _study(self):
        return importlib.import_module(f"{__name__}.{self.name}.study")


def names() -> list[str]:
    """Names of all analyses."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def get(name: str) -> Analysis:
    """The analysis called `name`.

    Raises
    ------
    ParameterError
        There is none of that name.
    """
    if name not in names():
        raise ParameterError(
            f"There is no analysis called {name!r}; the analyses are {', '.join(names())}."
        )
    return Analysis(name, importlib.import_module(f"{__name__}.{name}").Params)
