"""The order of floating-point sums in PyTensor, on which the draws depend bit by bit.

By default PyTensor compiles with "fastmath", which lets the compiler reorder sums; a warm and a
cold cache of compiled code then give different draws from the same seed. The setting is read once,
when PyTensor is imported, so it must be made before.
"""

import os
import sys

from iesoresearch.errors import AnalysisError

FLAG = "numba__fastmath"


def keep_order() -> None:
    """Ask PyTensor, unless it has been imported already, not to reorder sums."""
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if FLAG not in flags:
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, [flags, f"{FLAG}=False"]))


def require_order() -> None:
    """Make sure that PyTensor does not reorder sums.

    Raises
    ------
    AnalysisError
        PyTensor was imported with another setting.
    """
    keep_order()
    if "pytensor" not in sys.modules:
        import pytensor  # noqa: F401  reads the setting
    if getattr(sys.modules["pytensor"].config, FLAG):
        raise AnalysisError(
            "PyTensor was imported with fast arithmetic before the growth model could switch it "
            f"off, so its draws would not be the same again: set PYTENSOR_FLAGS={FLAG}=False "
            "before Python starts, or import iesoresearch.models.growth before pymc."
        )
