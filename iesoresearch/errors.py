"""What can go wrong, with the exit code that tells a caller which kind it was."""


class IesoError(Exception):
    """An expected failure: one paragraph that says what, where and what to do.

    The command line prints the paragraph and ends with `exit_code`; a notebook shows the
    paragraph instead of a traceback.
    """

    exit_code = 4

    def _render_traceback_(self) -> list[str]:
        # IPython asks the exception itself how it wants to be shown.
        return [str(self)]


class ParameterError(IesoError, ValueError):
    """A parameter, run name or parameter file that cannot be used."""

    exit_code = 2


class DataError(IesoError, ValueError):
    """Data that break their schema or cannot carry the analysis. Never quotes a patient's value."""

    exit_code = 3


class NotApplicable(DataError):
    """Data that cannot answer the question of an analysis, such as totals without items.

    Raised by `load` or by the fingerprint of an analysis. Nothing is broken: other runs go on, and
    what is said of this one is the sentence, so it says what is lacking and what to do.
    """


class AnalysisError(IesoError, RuntimeError):
    """An analysis or a notebook that failed while running."""

    exit_code = 4


class DisclosureError(IesoError):
    """An output that the disclosure policy does not let through."""

    exit_code = 5


class OutputError(IesoError, OSError):
    """A folder or file that cannot be written."""

    exit_code = 6


class NotFittedError(IesoError, ValueError, AttributeError):
    """An estimator that is asked for something before it was fitted."""


class ConvergenceWarning(UserWarning):
    """An iterative fit that stopped at its limit of iterations."""


#: Exit codes by exception name: a kernel hands over the name of what it raised, not the object.
EXIT_CODES = {
    cls.__name__: cls.exit_code
    for cls in (
        *(IesoError, ParameterError, DataError, NotApplicable, AnalysisError, DisclosureError),
        OutputError,
    )
}
