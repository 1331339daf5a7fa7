"""One module per analysis: ``Params``, ``fingerprint``, ``load``, ``summary`` and ``run``.

An analysis is looked up by its name, which is also the name of its module.
"""

import importlib
import pkgutil
from types import ModuleType

from iesoresearch.errors import ParameterError


def names() -> list[str]:
    """Names of all analyses."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def get(name: str) -> ModuleType:
    """Module of the analysis called `name`.

    Raises
    ------
    ParameterError
        There is none of that name.
    """
    if name not in names():
        raise ParameterError(
            f"There is no analysis called {name!r}; the analyses are {', '.join(names())}."
        )
    return importlib.import_module(f"{__name__}.{name}")
