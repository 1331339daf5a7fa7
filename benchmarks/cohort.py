"""A cohort from end to end: draw, write, check and judge it; the same in pandas beside it.

    python benchmarks/cohort.py [--n REFERRALS] [--repetitions R]

Each step runs in a process of its own, so its peak memory is its own. pandas works on the same
files in the same run. Nothing is reported unless both find the same planted faults, and the same
outcome for every referral and course of therapy.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

# Imports that take memory are in the steps: a process counts what its parent held as its own.

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED = 1
RESULTS = ("referrals", "therapies", "rates", "therapy_rates")
TABLES = ("patients", "referrals", "contacts", "scores", "content")


def timed(work: Callable):
    """Result of `work`, and what it took: the peak is that of the process so far."""
    began, used = time.perf_counter(), time.process_time()
    result = work()
    took = time.perf_counter() - began, time.process_time() - used
    unit = 2**30 if sys.platform == "darwin" else 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return result, {"seconds": took[0], "cpu_seconds": took[1], "peak_gb": peak}


# ---- ours


def generate(folder: Path, n: int) -> dict:
    from iesoresearch.data import synthetic

    synthetic.make(10, SEED)  # compiles, the first time after an installation
    shutil.rmtree(folder / "tables", ignore_errors=True)
    cohort, drawn = timed(lambda: synthetic.make(n, SEED))
    _, written = timed(lambda: cohort.write(folder / "tables"))
    rows = {t: getattr(cohort, t).height for t in TABLES}
    return {"generate": drawn, "write": written, "rows": rows}


def check(folder: Path, _) -> dict:
    from iesoresearch.data import sources

    return {"check": timed(lambda: sources.from_folder((folder / "tables",)))[1]}


def conform(folder: Path, _) -> dict:
    from iesoresearch.data.cohort import Cohort  # noqa: F401  importing it is not timed

    return {"conform": timed(lambda: problems(folder / "tables"))[1]}


def problems(folder: Path) -> int:
    """Number of problems that the schema and the links between tables show."""
    import polars as pl

    from iesoresearch.data.cohort import Cohort
    from iesoresearch.errors import DataError

    tables = {t: pl.read_parquet(folder / f"{t}.parquet") for t in TABLES}
    try:
        Cohort.checked("Benchmark", "synthetic", tables, "")
    except DataError as error:
        return int(str(error).split(": ")[1].split()[0])
    return 0


def outcomes(folder: Path, _) -> dict:
    import polars as pl

    from iesoresearch.measures.outcomes import rates, referral_outcomes, therapy_outcomes

    def work():
        names = ("referrals", "contacts", "scores")
        referrals, contacts, scores = (
            pl.scan_parquet(folder / "tables" / f"{name}.parquet") for name in names
        )
        judged = referral_outcomes(referrals, contacts, scores)
        courses = therapy_outcomes(contacts, referrals, scores)
        by_therapy = rates(courses, by="therapy")
        return dict(zip(RESULTS, (judged, courses, rates(judged), by_therapy), strict=True))

    results, took = timed(work)
    for name, table in results.items():
        table.write_parquet(folder / f"ours_{name}.parquet")
    return {"outcomes": took}


# ---- pandas


def write_pandas(folder: Path, _) -> dict:
    from peers import pandas_cohort as peer

    frames = {t: peer.read(folder / "tables", t) for t in TABLES}
    target = folder / "by_pandas"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()

    def work():
        for name, frame in frames.items():
            frame.to_parquet(target / f"{name}.parquet", compression="zstd")  # as polars does

    return {"write": timed(work)[1]}


def conform_pandas(folder: Path, _) -> dict:
    from peers import pandas_cohort as peer

    return {"conform": timed(lambda: peer.problems(folder / "tables"))[1]}


def outcomes_pandas(folder: Path, _) -> dict:
    from peers import pandas_cohort as peer

    results, took = timed(lambda: peer.outcomes(folder / "tables"))
    for name, table in results.items():
        table.to_parquet(folder / f"pandas_{name}.parquet")
    return {"outcomes": took}


# ---- that both do the same


def faults(folder: Path, _) -> dict:
    """Refuse to go on unless both see each of these, and nothing in tables without a fault."""
    import polars as pl
    from peers import pandas_cohort as peer

    tables = {t: pl.read_parquet(folder / "tables" / f"{t}.parquet") for t in TABLES}
    few = tables["patients"].select("patient_id").head(500)
    for name in ("patients", "referrals"):
        tables[name] = tables[name].join(few, on="patient_id", how="semi")
    few = tables["referrals"].select("referral_id")
    for name in TABLES[2:]:
        tables[name] = tables[name].join(few, on="referral_id", how="semi")
    contacts, referrals = tables["contacts"], tables["referrals"]
    odd = contacts["session"] == 1
    planted = {
        "nothing": {},
        "items": {"contacts": contacts.with_columns(phq9_9=pl.when(odd).then(4).otherwise(0))},
        "codes": {
            "contacts": contacts.with_columns(purpose=pl.when(odd).then(pl.lit("unheard of")))
        },
        "ids": {"contacts": contacts.with_columns(patient_id=pl.when(~odd).then("patient_id"))},
        "keys": {"contacts": pl.concat([contacts, contacts.head(3)])},
        "links": {"patients": tables["patients"].head(450)},
        "owners": {"contacts": contacts.with_columns(patient_id=pl.lit("somebody"))},
        "strangers": {"referrals": referrals.tail(450)},
    }
    for fault, changed in planted.items():
        place = folder / "faults" / fault
        place.mkdir(parents=True)
        for name, table in (tables | changed).items():
            table.write_parquet(place / f"{name}.parquet")
        found, expected = peer.problems(place), problems(place)
        if found != expected or (found == 0) != (fault == "nothing"):
            raise SystemExit(
                f"Planted fault “{fault}”: pandas sees {found} problem(s), iesoresearch "
                f"{expected}. They do not do the same work, so nothing is reported."
            )
    return {}


def compare(folder: Path, _) -> dict:
    """Refuse to go on unless every cell of every result is the same."""
    import polars as pl
    from polars.testing import assert_frame_equal

    for name in RESULTS:
        ours = pl.read_parquet(folder / f"ours_{name}.parquet")
        theirs = pl.read_parquet(folder / f"pandas_{name}.parquet")
        theirs = theirs.select(pl.col(c).cast(kind) for c, kind in ours.schema.items())
        try:
            # counts, days and flags must be equal; fractions to rounding
            assert_frame_equal(ours, theirs, check_row_order=False, rel_tol=1e-12, abs_tol=1e-12)
        except AssertionError as error:
            raise SystemExit(
                f"{name}: the outcomes differ, so nothing is reported.\n{error}"
            ) from None
    return {}


# ---- measuring

STEPS = {
    "ours": {"generate": generate, "check": check, "conform": conform, "outcomes": outcomes},
    "pandas": {"write": write_pandas, "conform": conform_pandas, "outcomes": outcomes_pandas},
    "both": {"faults": faults, "compare": compare},
}
ROWS = {
    "generate": "draw and check",
    "write": "write Parquet",
    "check": "read, check everything",
    "conform": "read, check schema, links",
    "outcomes": "read, outcomes and rates",
}
CLAIM = ("generate", "write", "check", "outcomes")  # conform is part of check


def in_own_process(who: str, step: str, folder: Path, n: int) -> dict:
    """What a step reports; the steps alternate, so that other work falls on all of them."""
    command = [sys.executable, __file__, "--n", str(n), "--step", who, step, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{who}, {step}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, n: int, repetitions: int) -> tuple[dict, dict]:
    """Every measurement by contender and row, and the number of rows of the tables."""
    taken, rows = {"ours": {}, "pandas": {}}, {}
    for repetition in range(repetitions):
        for step in ("generate", "write", "check", "conform", "outcomes"):
            for who in ("ours", "pandas"):
                if step not in STEPS[who]:
                    continue
                report = in_own_process(who, step, folder, n)
                rows = report.pop("rows", rows)
                for name, took in report.items():
                    taken[who].setdefault(name, []).append(took)
        if not repetition:
            for proof in STEPS["both"]:
                in_own_process("both", proof, folder, n)
    return taken, rows


def fastest(taken: list[dict]) -> dict:
    """The least of each figure: other work on the machine only ever adds."""
    return {figure: min(took[figure] for took in taken) for figure in taken[0]}


def report(n: int, taken: dict, rows: dict, repetitions: int) -> dict:
    best = {who: {s: fastest(t) for s, t in steps.items()} for who, steps in taken.items()}
    ratios = {
        step: {f: best["pandas"][step][f] / best["ours"][step][f] for f in best["ours"][step]}
        for step in best["pandas"]
    }
    parts = [best["ours"][step] for step in CLAIM]
    return {
        "referrals": n,
        "rows": rows,
        "repetitions": repetitions,
        "ours": best["ours"],
        "pandas": best["pandas"],
        "ratio": ratios,
        "total_seconds": sum(part["seconds"] for part in parts),
        "total_cpu_seconds": sum(part["cpu_seconds"] for part in parts),
        "highest_peak_gb": max(part["peak_gb"] for part in parts),
        "versions": {p: version(p) for p in ("iesoresearch", "polars", "pandas", "pyarrow")},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def table(result: dict) -> str:
    rows = ", ".join(f"{n:,} {name}" for name, n in result["rows"].items())
    columns = f"{'s':>8}{'CPU s':>8}{'GB':>7}"
    lines = [
        f"{rows}; fastest of {result['repetitions']}",
        "same planted faults found, every outcome equal",
        "",
        f"{'':27}{'iesoresearch':>23}{'pandas':>23}{'ratio':>11}",
        f"{'':27}{columns}{columns}{'s':>8}{'CPU s':>8}{'GB':>7}",
    ]
    for step, name in ROWS.items():
        line = f"{name:27}{_figures(result['ours'][step])}"
        if step in result["pandas"]:
            line += _figures(result["pandas"][step]) + _figures(result["ratio"][step])
        lines.append(line)
    total = [result[f] for f in ("total_seconds", "total_cpu_seconds", "highest_peak_gb")]
    lines.append(f"{'all but the fourth':27}{total[0]:8.1f}{total[1]:8.1f}{total[2]:7.2f}")
    return "\n".join(lines)


def _figures(took: dict) -> str:
    return f"{took['seconds']:8.1f}{took['cpu_seconds']:8.1f}{took['peak_gb']:7.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100_000, help="referrals")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        who, step, folder = arguments.step
        print(json.dumps(STEPS[who][step](Path(folder), arguments.n)))
        return
    with tempfile.TemporaryDirectory(prefix="cohort-") as folder:
        taken, rows = measure(Path(folder), arguments.n, arguments.repetitions)
    result = report(arguments.n, taken, rows, arguments.repetitions)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"cohort_{arguments.n}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
