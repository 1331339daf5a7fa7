"""Fit the "calibrated" parameters of a synthetic population to published figures.

Usage: python studies/calibrate_synthetic.py {england,ieso} [--referrals N] [--rounds R]

Rounds of two steps. Damped Gauss-Newton on the parameters in `SCALARS`, with derivatives from draws
that share their seed; then, for England, every group's shifts of severity and response are moved
towards its published recovery and improvement, relative to all. Parameters are written back into
the YAML of the profile after every round; what stays off is printed at the end.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.data import codes, published, synthetic
from iesoresearch.data.synthetic import calibration
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.measures.outcomes import rates
from iesoresearch.measures.problems import PROBLEMS

FOLDER = Path(synthetic.__file__).parent
SEED = 1

#: Parameter -> (step of the derivative, lower bound, upper bound); name.i is entry i of a list.
ENGLAND = {
    "severity": (0.2, -1, 4),
    "severity_width": (0.1, 0.7, 4),
    **{f"severity_of_states.{i}": (0.1, -5, 5) for i in range(7)},
    "mobility": (0.08, 0.2, 1),
    "stayers": (0.08, 0, 0.7),
    "response_by_severity": (0.1, -1, 2),
    "response_sd": (0.15, 0.02, 2),
    "step_response.0": (0.1, -1, 3),
    "step_response.1": (0.1, -1, 3),
    "first_response": (0.2, -1, 2),
    "stays_low": (0.1, 0.2, 1),
    "separate_assessment": (0.2, 0.1, 0.9),
    "turned_away": (0.1, 0, 1),
    "seen": (0.1, -1, 3),
    "goes_on": (0.1, -2, 3),
    "planned.0.0": (0.6, 3, 15),
    "planned.1.0": (0.8, 3, 20),
    "low_therapies.0.2": (0.1, -1, 1),
    "lean": (0.2, 0.1, 2),
    "phq9_shift": (0.15, -2, 2),
    "phq9_step": (0.15, 0.8, 3),
    "gad7_slope": (0.1, 0.3, 3),
    "gad7_shift": (0.2, -2, 4),
    "gad7_step": (0.15, 0.8, 3),
    "anxiety_sd": (0.2, 0.05, 4),
    "anxiety_fades": (1.5, 1, 30),
    "wsas_slope": (0.1, 0.2, 3),
    "wsas_shift": (0.2, -2, 4),
    "wsas_step": (0.05, 0.3, 1.5),
    "impairment_sd": (0.15, 0.2, 3),
}
IESO = {
    name: ENGLAND[name]
    for name in (
        *("severity", "severity_width", "response_sd", "response_by_severity", "step_response.1"),
        *("first_response", "stayers", "separate_assessment", "seen", "goes_on", "phq9_shift"),
        *("gad7_shift", "gad7_step", "anxiety_sd", "wsas_shift", "wsas_step", "impairment_sd"),
    )
}  # fmt: skip
SCALARS = {"england": ENGLAND, "ieso": IESO}
#: Points of recovery and improvement per unit of severity and of response, over all referrals.
SLOPES = np.array([[-7.4, 45.0], [8.2, 31.5]])
#: Points of the first PHQ-9 and GAD-7 per unit of severity, of the first GAD-7 per unit of anxiety.
PHQ9_PER_SEVERITY, GAD7_PER_SEVERITY, GAD7_PER_ANXIETY = 2.4, 2.15, 2.0
CAUTION = 0.5  # share of a group's shift that is made at once
DAMPING = 0.03  # of the first step, and after one that led nowhere
TOTAL_WEIGHT = 1.6  # of the figures of all finished courses
FEWEST = 400  # finished courses below which a group keeps its parameters
#: Parameters' prefix -> column, breakdown of the published table, groups.
GROUPS = {
    "age": ("age", "age", tuple(codes.AGE_BANDS)),
    "gender": ("gender", "gender", codes.GENDERS),
    "ethnicity": ("ethnicity", "ethnicity", tuple(codes.ETHNICITIES)),
    "orientation": ("orientation", "orientation", codes.ORIENTATIONS),
    "deprivation": (*("deprivation decile",) * 2, tuple(str(d) for d in range(1, 11))),
}
TWO = {
    "ltc": ("long_term_condition", "long-term condition"),
    "disability": ("disability", "disability"),
}


class Parameters(dict):
    """Values by name, entries of lists as name.i."""

    def entry(self, name: str):
        """Value of `name`."""
        base, *path = name.split(".")
        value = self[base]
        for place in path:
            value = value[int(place)]
        return value

    def changed(self, name: str, value: float) -> "Parameters":
        """A copy with `name` set."""
        base, *path = name.split(".")
        copy = Parameters(self)

        def put(inner, rest):
            if not rest:
                return float(value)
            inner = list(inner)
            inner[int(rest[0])] = put(inner[int(rest[0])], rest[1:])
            return inner

        copy[base] = put(self[base], path)
        return copy


def residuals(parameters: Parameters, profile: str, n: int) -> tuple[np.ndarray, dict]:
    """Distances from the published figures in tolerances, and the frames behind them."""
    cohort = synthetic.make(n, SEED, profile, **parameters)
    frames = calibration.frames(cohort)
    table = calibration.compare(cohort, profile).filter(pl.col("role") == calibration.FITTED)
    # groups have parameters of their own
    table = table.filter(pl.col("breakdown").is_in(["total", "therapy", "PHQ-9 items"]))
    off = ((table["synthetic"] - table["published"]) / table["tolerance"]).to_numpy()
    # all finished courses count for more than those of one therapy
    off = off * np.where(table["breakdown"] == "total", TOTAL_WEIGHT, 1.0)
    return off, frames


def newton(parameters: Parameters, profile: str, n: int, damping: float):
    """One damped Gauss-Newton step."""
    scalars = SCALARS[profile]
    start, frames = residuals(parameters, profile, n)
    jacobian = np.stack(
        [
            (residuals(parameters.changed(k, parameters.entry(k) + h), profile, n)[0] - start) / h
            for k, (h, _, _) in scalars.items()
        ],
        axis=1,
    )
    normal = jacobian.T @ jacobian
    for _ in range(4):
        step = -np.linalg.solve(
            normal + damping * np.diag(np.diag(normal) + 1e-6), jacobian.T @ start
        )
        moved = parameters
        for (name, (_, low, high)), d in zip(scalars.items(), step, strict=True):
            moved = moved.changed(name, np.clip(parameters.entry(name) + d, low, high))
        found, its_frames = residuals(moved, profile, n)
        if (found**2).sum() < (start**2).sum():
            return moved, its_frames, (found**2).sum(), damping / 3
        damping *= 4
    return parameters, frames, (start**2).sum(), DAMPING


def regroup(parameters: Parameters, frames: dict) -> Parameters:
    """Every group's shifts, moved towards its published recovery and improvement."""
    figures = published.load().filter(org=published.ENGLAND, period=calibration.PERIOD)
    finished = frames["finished"]
    inverse = np.linalg.inv(SLOPES)
    parameters = Parameters(
        {k: list(v) if isinstance(v, list) else v for k, v in parameters.items()}
    )

    def told(breakdown, group):
        rows = figures.filter(breakdown=breakdown, group=group, statistic="percentage")
        wanted = dict(rows.select("measure", "value").rows())
        return np.array(
            [wanted.get("recovery", np.nan), wanted.get("reliable improvement", np.nan)]
        )

    def found(frame):
        measured = {r["measure"]: 100 * r["rate"] for r in rates(frame).to_dicts()}
        return np.array([measured["recovery"], measured["reliable improvement"]])

    overall = told("total", "all") - found(finished)
    for name, (column, breakdown, groups) in GROUPS.items():
        for place, group in enumerate(groups):
            frame = finished.filter(pl.col(column).cast(pl.String) == group)
            if frame.height < FEWEST:
                continue
            off = told(breakdown, group) - found(frame) - overall
            severity, response = CAUTION * inverse @ off
            if np.isnan(off[1]):  # improvement was not published: recovery alone, by response
                severity, response = 0.0, CAUTION * off[0] / SLOPES[0, 1]
            if not np.isnan(response):
                parameters[f"{name}_severity"][place] += float(severity)
                parameters[f"{name}_response"][place] += float(response)
    _regroup_two(parameters, finished, told, found, inverse)
    _regroup_problems(parameters, frames, figures, told, found, overall)
    return parameters


def _regroup_two(parameters, finished, told, found, inverse):
    for name, (column, breakdown) in TWO.items():
        groups = ("yes", "no") if name == "ltc" else ("behaviour or emotional", "none")
        wanted = told(breakdown, groups[0]) - told(breakdown, groups[1])
        if np.isnan(wanted).any():
            continue
        parts = [found(finished.filter(pl.col(column) == answer)) for answer in ("yes", "no")]
        shift = CAUTION * inverse @ (wanted - (parts[0] - parts[1]))
        parameters[f"{name}_severity"][1] += float(shift[0])
        parameters[f"{name}_response"][1] += float(shift[1])


def _regroup_problems(parameters, frames, figures, told, found, overall):
    therapies = frames["therapies"].filter(therapy="cognitive behaviour therapy").join(
        frames["finished"].select("referral_id", "problem"), on="referral_id"
    )  # fmt: skip
    by_problem = figures.filter(breakdown="problem, cognitive behaviour therapy", statistic="mean")
    whole = figures.filter(
        breakdown="therapy", group="cognitive behaviour therapy", statistic="mean"
    )

    def off(code, name):
        rows = by_problem.filter(group=name, measure=f"{code} first")
        mine = therapies.filter(pl.col("problem") == name)[f"{code}_first"].drop_nulls()
        if rows.is_empty() or len(mine) < FEWEST:
            return None
        all_told = whole.filter(measure=f"{code} first")["value"].item()
        return (rows["value"].item() - all_told) - (mine.mean() - therapies[f"{code}_first"].mean())

    for place, name in enumerate(PROBLEMS):
        frame = frames["finished"].filter(pl.col("problem") == name)
        shift = 0.0
        if (phq9 := off("phq9", name)) is not None:
            shift = CAUTION * phq9 / PHQ9_PER_SEVERITY
            parameters["problem_severity"][place] += float(shift)
        if (gad7 := off("gad7", name)) is not None:
            gad7 = CAUTION * gad7 - shift * GAD7_PER_SEVERITY
            parameters["problem_anxiety"][place] += float(gad7 / GAD7_PER_ANXIETY)
        target = told("problem", name)[0]
        if frame.height >= FEWEST and not np.isnan(target):
            rest = CAUTION * (target - found(frame)[0] - overall[0]) - shift * SLOPES[0, 0]
            parameters["problem_response"][place] += float(rest / SLOPES[0, 1])


def write(parameters: Parameters, profile: str, names: set[str]) -> None:
    """Put values back into the YAML, leaving comments as they are."""
    path = FOLDER / f"{profile}.yaml"
    text = path.read_text(encoding="utf-8")
    for name in sorted(names):
        entry = re.compile(rf"^(  {name}:.*?value:\s*)(.*?)(\}}[ \t]*(?:#[^\n]*)?)$", re.M | re.S)
        value = _rounded(parameters[name])
        text, n = entry.subn(lambda m, v=value: f"{m[1]}{v}{m[3]}", text, count=1)
        if n != 1:
            raise SystemExit(f"{path}: {name} was not found; add it, then calibrate again.")
    path.write_text(text, encoding="utf-8")


def _rounded(value):
    if isinstance(value, list):
        return "[" + ", ".join(str(_rounded(v)) for v in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Calibrate the profile that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("profile", choices=tuple(SCALARS))
    parser.add_argument("--referrals", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--keep-groups", action="store_true", help="leave the groups' shifts alone")
    options = parser.parse_args()
    parameters = Parameters(Profile.load(options.profile).values)
    names = {name.split(".")[0] for name in SCALARS[options.profile]}
    if options.profile == "england":
        names |= {f"{g}_{e}" for g in (*GROUPS, *TWO, "problem")
                  for e in ("severity", "response")} | {"problem_anxiety"}  # fmt: skip
    damping = DAMPING
    for number in range(options.rounds):
        parameters, frames, total, damping = newton(
            parameters, options.profile, options.referrals, damping
        )
        print(f"round {number + 1}: sum of squared distances {total:.1f}", flush=True)
        regrouping = options.profile == "england" and not options.keep_groups
        if regrouping and number % 2 and number < options.rounds - 2:
            parameters = regroup(parameters, frames)
        write(parameters, options.profile, names)
    table = calibration.compare(synthetic.make(10 * options.referrals, SEED, options.profile),
                                options.profile)  # fmt: skip
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160):
        print(table.filter(~pl.col("within")).drop("source", "within"))


if __name__ == "__main__":
    main()
