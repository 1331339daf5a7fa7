"""Arrays in full dimensions, and everything that is wrong with their shapes at once."""

import numpy as np

from iesoresearch.errors import ParameterError

AXES = {"D": "draws", "K": "strategies", "T": "cycles", "P": "cycles + 1", "S": "states"}


class Shapes:
    """Brings arrays into full dimensions and gathers what does not fit.

    Parameters
    ----------
    states, strategies
        Names.
    n_cycles
        T.
    """

    def __init__(self, states: tuple, strategies: tuple, n_cycles: int) -> None:
        self.sizes = {"S": len(states), "K": len(strategies), "T": n_cycles, "P": n_cycles + 1}
        self.n_cycles = n_cycles
        self._draws: dict[int, str] = {}
        self._problems: list[str] = []
        for what, names in (("state", states), ("strategy", strategies)):
            self.names(what, names)
            if not names:
                self.problem(f"there is no {what}")

    def problem(self, text: str) -> None:
        """Note what is wrong."""
        if text not in self._problems:
            self._problems.append(text)

    def names(self, what: str, names) -> None:
        """Note names that are there twice."""
        for name in sorted({name for name in names if list(names).count(name) > 1}):
            self.problem(f'{what} "{name}" is there twice')

    def array(self, what: str, given, axes: str, scheduled: bool = False) -> np.ndarray | None:
        """`given` as a read-only float array with all axes.

        Parameters
        ----------
        what
            Its name in messages.
        given
            Array with all axes, or without draws, strategies and time; None stays None.
        axes
            Letters of `AXES`. Every axis but the states may have length 1.
        scheduled
            The axis of time may have any length.
        """
        if given is None:
            return None
        try:
            array = np.asarray(given, dtype=float).view()
        except (TypeError, ValueError):
            self.problem(f"{what} is not an array of numbers")
            return None
        short = axes.lstrip("DKTP")
        if array.ndim == len(short):
            array = array.reshape((1,) * (len(axes) - len(short)) + array.shape)
        if array.ndim != len(axes):
            self.problem(
                f"{what} has {array.ndim} axes, expected {len(axes)} "
                f"({', '.join(AXES[a] for a in axes)})"
                + (f" or {len(short)}" if short else " or a number")
            )
            return None
        for axis, length in zip(axes, array.shape, strict=True):
            self._length(what, axis, length, scheduled)
        for axis in range(sum(a in "DK" for a in axes)):
            if array.strides[axis] == 0:  # a broadcast view: the same for all
                array = array[(slice(None),) * axis + (slice(1),)]
        array.flags.writeable = False
        return array

    def _length(self, what: str, axis: str, length: int, scheduled: bool) -> None:
        if axis == "D":
            if length != 1:
                self._draws.setdefault(length, what)
        elif axis in "TP" and scheduled:
            if length == 0:
                self.problem(f"{what} is empty")
        elif length != self.sizes[axis] and (length != 1 or axis == "S"):
            expected = f"{self.sizes[axis]}" + ("" if axis == "S" else " or 1")
            self.problem(f"{what} is for {length} {AXES[axis]}, the model has {expected}")

    def vector(self, what: str, given, length: int) -> np.ndarray | None:
        """`given` as a read-only vector of this length; None stays None."""
        if given is None:
            return None
        try:
            array = np.asarray(given, dtype=float).view()
        except (TypeError, ValueError):
            self.problem(f"{what} is not a vector of numbers")
            return None
        if array.shape != (length,):
            self.problem(f"{what} has shape {array.shape}, expected ({length},)")
            return None
        array.flags.writeable = False
        return array

    def schedule(self, what: str, given, scheduled, length: int) -> np.ndarray | None:
        """Which entry of the axis of time holds when; made where it is not given.

        Parameters
        ----------
        what
            Name of the scheduled array in messages.
        given
            (length,) or (K|1, length) whole numbers, or None: 0, 1, 2 … if the axis has that
            length, else always 0.
        scheduled
            The array, as given.
        length
            Cycles or points.
        """
        if scheduled is None:
            return None
        shape = np.shape(scheduled)
        entries = shape[2] if len(shape) > 3 else 1
        if given is None:
            given = np.arange(length) * (entries > 1)
        schedule = np.atleast_2d(np.asarray(given))
        if schedule.shape not in {(1, length), (self.sizes["K"], length)}:
            self.problem(
                f"the schedule of {what} has shape {schedule.shape}, expected ({length},) or "
                f"({self.sizes['K']}, {length})"
            )
        elif schedule.dtype.kind not in "iu" or not ((schedule >= 0) & (schedule < entries)).all():
            self.problem(f"the schedule of {what} must hold whole numbers from 0 to {entries - 1}")
        schedule = schedule.view()
        schedule.flags.writeable = False
        return schedule

    def finish(self) -> int:
        """Number of draws.

        Raises
        ------
        ParameterError
            Whatever was found wrong.
        """
        if 0 in self._draws or len(self._draws) > 1:
            found = ", ".join(f"{what}: {n}" for n, what in sorted(self._draws.items()))
            self.problem(f"the numbers of draws differ ({found})")
        if self._problems:
            raise ParameterError(
                f"The cohort model does not fit together: {'; '.join(self._problems)}. "
                "Give every array the axes of the model, with length 1 where all are the same."
            )
        return next(iter(self._draws), 1)
