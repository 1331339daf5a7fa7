"""polars writes nothing to disk while a library is filled."""

import os
import subprocess
import sys

CODE = """
import sys, threading, pathlib, time, contextlib
import polars as pl
from iesoresearch.library.deidentify.unspilled import nothing_spilled
n = 60_000
table = pl.LazyFrame({"k": range(n), "name": [f"Featherstone {i}" for i in range(n)]})
def spilled(how):
    found, done = set(), []
    def there():
        return {p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file()}
    before = there()  # polars may not have cleared up yet
    def watch():
        while not done:
            found.update(there() - before)
            time.sleep(0.001)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with how:
        for _ in range(3):
            table.join(table, on="k").sort("name").collect(engine="streaming")
    done.append(1)
    watcher.join()
    return bool(found)
freely = contextlib.nullcontext
print(spilled(freely()), spilled(nothing_spilled()), spilled(freely()))
"""


def test_what_polars_would_spill_it_does_not(tmp_path):
    # polars reads these when it is imported
    short = {"POLARS_OOC_MEMORY_BUDGET_MB": "1", "POLARS_OOC_SPILL_MIN_BYTES": "1"}
    where = {"POLARS_OOC_SPILL_DIR": str(tmp_path), "POLARS_TEMP_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], env=os.environ | short | where,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "False", "True"]
