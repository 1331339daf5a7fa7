"""Execute one notebook with papermill in a kernel of its own."""

import logging
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from iesoresearch.errors import EXIT_CODES

ENGINE = "iesoresearch"

_running: dict[int, PapermillNotebookClient] = {}
_lock = threading.Lock()
_stopping = threading.Event()


@dataclass(frozen=True)
class Failure:
    """What went wrong in a notebook.

    `kind` is the name of the exception, `message` what it says, `source` the cell that raised it.
    The message of an expected error is a whole sentence and quotes no data.
    """

    kind: str
    message: str
    exit_code: int
    expected: bool
    cell: int | None = None
    source: str = ""


_INTERRUPTED = Failure("KeyboardInterrupt", "Interrupted.", 130, expected=True)


class _Engine(NBClientEngine):
    """papermill's engine, with a private socket folder, an environment and a progress call."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, *, on_cell, env, sockets, **_):
        complete = nb_man.cell_complete

        def cell_complete(cell, cell_index=None, **options):
            complete(cell, cell_index=cell_index, **options)
            on_cell()

        nb_man.cell_complete = cell_complete
        # Sockets in a private folder instead of TCP: other users of the machine cannot listen,
        # and kernels that start together cannot take each other's port. Windows has no ipc.
        manager = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{sockets}/k"}
        client = PapermillNotebookClient(
            nb_man,
            kernel_name=kernel_name,
            timeout=None,
            startup_timeout=120,
            config=Config({"KernelManager": manager}),
            # else every kernel that is shut down says that it was
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
        )
        with _lock:
            _running[id(client)] = client
        try:
            return client.execute(env=env)
        finally:
            with _lock:
                _running.pop(id(client), None)


papermill_engines.register(ENGINE, _Engine)


def execute(
    notebook: Path,
    output: Path,
    parameters: dict[str, Any],
    env: dict[str, str],
    on_cell: Callable[[], None],
) -> Failure | None:
    """Run `notebook` with `parameters` into `output`; None when every cell succeeded."""
    # a short path of our own: the name of a socket may have about 100 characters
    sockets = tempfile.mkdtemp(prefix="ieso-")
    logging.getLogger("papermill").setLevel(logging.ERROR)
    if _stopping.is_set():
        return _INTERRUPTED
    failure = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of papermill's own dependencies
            papermill.execute_notebook(
                notebook,
                output,
                parameters=parameters,
                engine_name=ENGINE,
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                on_cell=on_cell,
                env=os.environ | env,
                sockets=sockets,
            )
    except PapermillExecutionError as error:
        failure = _failure(error)
    except OSError as error:
        failure = _unwritable(output, error)
    except Exception as error:  # a kernel that died raises whatever its library likes
        message = f"the kernel stopped: {error}"
        failure = Failure(type(error).__name__, message, 4, expected=False)
    finally:
        ensure_event_loop().close()  # the one nbclient opened for this thread and leaves behind
        shutil.rmtree(sockets, ignore_errors=True)
    if _stopping.is_set():
        return _INTERRUPTED
    unscrubbed = _scrub(output)
    return failure or unscrubbed


def _unwritable(path: Path, error: OSError) -> Failure:
    message = (
        f"{path.parent.parent} cannot be written ({error.strerror or error}). Free space or name "
        "another folder with --out; what was there before is untouched."
    )
    return Failure("OutputError", message, 6, expected=True)


def _failure(error: PapermillExecutionError) -> Failure:
    if error.ename == "KeyboardInterrupt":
        return _INTERRUPTED
    return Failure(
        kind=error.ename,
        message=error.evalue,
        exit_code=EXIT_CODES.get(error.ename, 4),
        expected=error.ename in EXIT_CODES,
        cell=error.exec_count,
        source=error.source,
    )


def _scrub(path: Path) -> Failure | None:
    """Drop what differs between equal runs and what tells about the machine: times and paths."""
    try:
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata.pop("papermill", None)
        for number, cell in enumerate(notebook.cells):
            for volatile in ("papermill", "execution"):
                cell.metadata.pop(volatile, None)
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell["id"] = f"injected-{number}"
        nbformat.write(notebook, path)
    except OSError as error:
        path.unlink(missing_ok=True)
        return _unwritable(path, error)
    except ValueError:  # half a notebook: the disk was full when papermill saved it
        path.unlink(missing_ok=True)
        return _unwritable(path, OSError(0, "it was cut off half-way, as on a full disk"))
    return None


def stop_all() -> None:
    """Kill every running kernel; the threads that wait for them then return."""
    _stopping.set()
    with _lock:
        clients = list(_running.values())
    for running in clients:
        process = getattr(getattr(running.km, "provisioner", None), "process", None)
        if process is not None:
            process.kill()
