"""Patients in treatment session by session, and the flags of a rule."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.seeds import derive


@dataclass(frozen=True)
class InTreatment:
    """Patients in treatment: one row per course of treatment (a referral) and session.

    Attributes
    ----------
    names
        (courses,) as they were given, in order.
    course, unit
        (rows,) 0-based course, (courses,) 0-based patient, the unit of resampling.
    session
        (rows,) number of the session.
    y
        (courses,) bool: the bad outcome.
    last
        (courses,) number of the last session.
    groups
        Name -> (levels, (courses,) 0-based level).
    """

    names: np.ndarray
    course: np.ndarray
    unit: np.ndarray
    session: np.ndarray
    y: np.ndarray
    last: np.ndarray
    groups: dict[str, tuple[list, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(cls, course, session, y, *, patient=None, last_session=None, groups=None):
        """Check and code what is known of each row.

        Parameters
        ----------
        course, session, y
            (rows,) referral, number of the session (from 0) and bad outcome (0 or 1).
        patient
            (rows,) whose course it is; by default everybody has one.
        last_session
            (rows,) number of the course's last session; by default that of its last row, which is
            too early where landmarks stop before treatment does.
        groups
            Name -> (rows,) levels.

        Raises
        ------
        DataError
            No rows, lengths that differ, something missing, outcomes that are no 0 or 1, a course
            with two rows for a session, something that changes within a course, or sessions before
            the one numbered 0 or after the last one.
        """
        frame = {"course": course, "session": session, "y": y, "patient": patient}
        frame |= {"last_session": last_session} | {
            f"group {k}": v for k, v in (groups or {}).items()
        }
        frame = {name: np.asarray(v) for name, v in frame.items() if v is not None}
        _check_rows(frame)
        names, first, code = np.unique(frame["course"], return_index=True, return_inverse=True)
        for name in frame.keys() - {"course", "session"}:
            n = int((frame[name] != frame[name][first][code]).sum())
            if n:
                raise DataError(
                    f"Sessions in treatment: {name} changes within a course in {n} row(s). Give "
                    "every row of a course the same value."
                )
        session = frame["session"].astype(np.int64)
        last = np.zeros(len(first), dtype=np.int64)
        np.maximum.at(last, code, session)
        given = frame["last_session"][first].astype(np.int64) if "last_session" in frame else last
        if (session < 0).any() or (given < last).any():
            raise DataError(
                f"Sessions in treatment: {int((session < 0).sum())} row(s) have a number below 0, "
                f"and {int((given < last).sum())} course(s) have rows after their last session. "
                "Correct session and last_session."
            )
        whose = frame.get("patient", frame["course"])[first]
        levels = {}
        for name in groups or {}:
            known, level = np.unique(frame[f"group {name}"][first], return_inverse=True)
            levels[name] = (known.tolist(), level)
        return cls(
            names, code, np.unique(whose, return_inverse=True)[1], session,
            frame["y"][first].astype(bool), given, levels,
        )  # fmt: skip

    def first_flag(self, flag: np.ndarray) -> np.ndarray:
        """Session of the first flag of every course, -1 without: (courses,)."""
        never = np.iinfo(np.int64).max
        first = np.full(len(self.y), never)
        np.minimum.at(first, self.course[flag], self.session[flag])
        return np.where(first == never, -1, first)


def _check_rows(frame: dict[str, np.ndarray]) -> None:
    lengths = {name: len(values) for name, values in frame.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise DataError(
            f"Sessions in treatment differ in length: {told}. Give one row per session."
        )
    if not lengths["course"]:
        raise DataError("Nobody is in treatment: there are no rows. Check who was selected.")
    if wrong := int((~np.isin(frame["y"], (0, 1))).sum()):
        raise DataError(
            f"Sessions in treatment: {wrong} of {lengths['y']} outcomes are not 0 or 1. Leave out "
            "patients whose outcome is not known."
        )
    absent = {name: pl.Series(v, strict=False).null_count() for name, v in frame.items()}
    if any(absent.values()):
        told = ", ".join(f"{name} in {n}" for name, n in absent.items() if n)
        raise DataError(
            f"Sessions in treatment: missing are {told} row(s). Name a level for what is not known."
        )
    rows = pl.DataFrame({"c": frame["course"], "s": frame["session"]})
    if twice := rows.height - rows.n_unique():
        raise DataError(
            f"Sessions in treatment: {twice} row(s) repeat a course and session. Keep one row each."
        )


def flags_at(p, threshold: float) -> np.ndarray:
    """Flags of all rows whose `p` (a probability, or a score) is at or above `threshold`.

    Raises
    ------
    DataError
        A `p` is missing.
    """
    return _finite(p) >= threshold


def flags_like(treated: InTreatment, p, flag, *, random_state: int) -> np.ndarray:
    """Flags by `p`, as many at every session as `flag` has: two rules at equal workload.

    Those with the highest `p` are flagged; of equals, those whom a draw by the name of the
    course prefers.

    Raises
    ------
    DataError
        A `p` is missing, or `p` and `flag` are not one per row.
    """
    flag, p = as_flags(treated, flag), _finite(p)
    if p.shape != flag.shape:
        raise DataError(
            f"Flags: p has the shape {p.shape}; there are {len(flag)} rows in treatment. Give one "
            "prediction per row."
        )
    # by name, so that it does not depend on who else is there
    draws = [derive(random_state, "signals", "ties", str(name)) for name in treated.names]
    chance = np.array(draws)[treated.course]
    order = np.lexsort((chance, -p, treated.session))
    sessions, start, size = np.unique(treated.session[order], return_index=True, return_counts=True)
    rank = np.arange(len(p)) - np.repeat(start, size)
    allowed = [int(flag[treated.session == s].sum()) for s in sessions]
    chosen = np.zeros(len(p), dtype=bool)
    chosen[order] = rank < np.repeat(allowed, size)
    return chosen


def _finite(p) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    if missing := int((~np.isfinite(p)).sum()):
        raise DataError(
            f"Flags: {missing} of {len(p)} predictions are missing. Say what the rule does there: "
            "flag these rows or leave them unflagged."
        )
    return p


def as_flags(treated: InTreatment, flag) -> np.ndarray:
    """Flags as an array.

    Raises
    ------
    DataError
        They are not one bool per row.
    """
    flag = np.asarray(flag)
    if flag.shape != treated.course.shape or flag.dtype != bool:
        raise DataError(
            f"Flags have the shape {flag.shape} and type {flag.dtype}; there are "
            f"{len(treated.course)} rows in treatment. Give one true or false per row."
        )
    return flag
