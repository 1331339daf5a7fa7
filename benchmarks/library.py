"""Writing and reading the library, beside plain Parquet and beside polars' own encryption.

    python benchmarks/library.py [--n REFERRALS] [--repetitions R]

All write the contacts of drawn referrals in 16 parts, the same patients in the same part, and read
them back. The library also proves, makes durable, commits and logs. One of its peers makes durable,
none does the rest, so that what a disk takes is told apart from what encryption takes. Nothing is
reported unless every contender reads back the table that was written.
"""

import argparse
import json
import os
import platform
import secrets
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import polars as pl

from iesoresearch.data import synthetic
from iesoresearch.library import store
from iesoresearch.library.store import log
from iesoresearch.library.store.keys import Keys

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED, PARTS, LINES = 1, 16, 100_000


class Plain:
    """polars, without encryption."""

    durable = False
    encrypted = False

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder, {}

    def write(self, parts: dict[str, pl.DataFrame]) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, frame in parts.items():
            path, options = self.folder / name, {}
            if self.encrypted:
                self.keys[name] = secrets.token_bytes(32)
                given = {"footer_key": self.keys[name], "aad_prefix": name.encode()}
                options["encryption"] = pl.ParquetEncryptionProperties(**given)
            frame.write_parquet(path, statistics=False, **options)
            if self.durable:
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())

    def read(self) -> pl.DataFrame:
        return pl.concat(self.read_part(path) for path in sorted(self.folder.iterdir()))

    def read_part(self, path: Path) -> pl.DataFrame:
        if not self.encrypted:
            return pl.read_parquet(path)
        given = {"footer_key": self.keys[path.name], "aad_prefix": path.name.encode()}
        return pl.read_parquet(path, decryption=pl.ParquetDecryptionProperties(**given))


class Durable(Plain):
    """polars, without encryption, each file made durable."""

    durable = True


class Encrypted(Plain):
    """polars' own Parquet modular encryption, a key per file."""

    encrypted = True


class Ours:
    """The library: encrypted, hashed, durable, committed and logged."""

    def __init__(self, folder: Path) -> None:
        keys = Keys.make(folder.with_name("key"))
        self.library = store.create(folder, keys, territory="UK", who="benchmark")

    def write(self, parts: dict[str, pl.DataFrame]) -> None:
        with self.library.writing("ingest", "benchmark") as draft:
            for name, frame in parts.items():
                draft.write("contacts", frame, part=name)

    def read(self) -> pl.DataFrame:
        return self.library.read("contacts")


CONTENDERS = {
    "iesoresearch": Ours,
    "plain Parquet": Plain,
    "plain Parquet, made durable": Durable,
    "polars, encrypted": Encrypted,
}


def timed(work) -> tuple[dict, object]:
    began, used = time.perf_counter(), time.process_time()
    result = work()
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - used}
    return took, result


def parts_of(n: int) -> dict[str, pl.DataFrame]:
    contacts = synthetic.make(n, SEED).contacts
    bucket = contacts["patient_id"].hash(SEED) % PARTS
    return {f"{i:02}": contacts.filter(bucket == i) for i in range(PARTS)}


def measure(folder: Path, parts: dict, repetitions: int) -> dict:
    """Every measurement; contenders alternate, so that other work falls on all of them."""
    expected = pl.concat(parts.values())
    contenders = {name: make(folder / str(i)) for i, (name, make) in enumerate(CONTENDERS.items())}
    taken = {name: {"write": [], "read": []} for name in contenders}
    for _ in range(repetitions):
        for name, contender in contenders.items():
            taken[name]["write"].append(timed(lambda c=contender: c.write(parts))[0])
            took, table = timed(contender.read)
            taken[name]["read"].append(took)
            if not table.equals(expected):
                raise SystemExit(f"{name} reads back another table, so nothing is reported.")
    return {
        name: {
            step: {figure: min(took[figure] for took in every) for figure in every[0]}
            for step, every in steps.items()
        }
        for name, steps in taken.items()
    }


def verify_log() -> dict:
    """What it takes to verify a long log."""
    key, head, lines = secrets.token_bytes(32), log.Head(), []
    for _ in range(LINES):
        words = {"who": "somebody", "what": "extract", "why": "a study"}
        line, head = log.line(head, key, **words, details={"rows": 12345})
        lines.append(line)
    content = b"".join(lines)
    return timed(lambda: log.verify(content, head, key))[0]


def table(result: dict) -> str:
    lines = [
        f"{result['rows']:,} contacts in {PARTS} parts; fastest of {result['repetitions']}; every "
        "contender read back what was written",
        "",
        f"{'':30}{'write':>24}{'read':>24}",
        f"{'':30}" + f"{'s':>8}{'CPU s':>8}{'ratio':>8}" * 2,
    ]
    for name, best in result["best"].items():
        line = f"{name:30}"
        for step in ("write", "read"):
            ratio = best[step]["seconds"] / result["best"]["iesoresearch"][step]["seconds"]
            line += f"{best[step]['seconds']:8.2f}{best[step]['cpu_seconds']:8.2f}{ratio:8.2f}"
        lines.append(line)
    took = result["log"]
    lines.append(
        f"\nA log of {LINES:,} lines is verified in {took['seconds']:.2f} s "
        f"({took['cpu_seconds']:.2f} s of a processor)."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100_000, help="referrals")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    parts = parts_of(arguments.n)
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        best = measure(Path(folder), parts, arguments.repetitions)
    result = {
        "referrals": arguments.n,
        "rows": sum(frame.height for frame in parts.values()),
        "repetitions": arguments.repetitions,
        "best": best,
        "log": verify_log(),
        "load": os.getloadavg()[0],
        "versions": {p: version(p) for p in ("iesoresearch", "polars", "pyarrow", "cryptography")},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"library_{arguments.n}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
