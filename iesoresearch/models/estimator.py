"""The part of scikit-learn's estimator conventions that needs no scikit-learn."""

import inspect


class Estimator:
    """Parameters in ``__init__`` stored under their own names; ``get_params`` and ``set_params``.

    Enough for `sklearn.base.clone` and for a readable ``repr``.
    """

    @classmethod
    def _parameter_defaults(cls) -> dict:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return {p.name: p.default for p in parameters if p.name != "self"}

    def get_params(self, deep: bool = True) -> dict:
        """Parameters by name (`deep` is accepted for compatibility; nothing is nested)."""
        return {name: getattr(self, name) for name in self._parameter_defaults()}

    def set_params(self, **parameters):
        """Set parameters by name and return the estimator."""
        known = self._parameter_defaults()
        for name, value in parameters.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; "
                    f"its parameters are {', '.join(known)}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in self._parameter_defaults().items()
            if default is inspect.Parameter.empty or getattr(self, name) is not default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"
