"""A scientist opens a notebook in JupyterLab, runs it, and mistypes a parameter."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
NAME = "10_subtypes.ipynb"
FIGURES = ["figure-criteria", "figure-profiles"]  # cells; the other figures need several sessions
PATIENCE = 120  # seconds, for a server to start and a notebook to run on a busy machine
PANEL = "window.jupyterapp?.shell?.currentWidget"  # nothing before the page has set up its app
CONNECTED = f"{PANEL}?.sessionContext?.session?.kernel?.connectionStatus === 'connected'"
DONE = f"""(cells => cells.some(cell => cell.model.executionCount)
    && cells.every(cell => cell.model.executionState !== 'running'))({PANEL}.content.widgets)"""


# A server and a browser of their own, on a copy of the project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Copy of what a notebook needs, with its outputs cleared: what is shown was made here."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "params", folder / "params", ignore=shutil.ignore_patterns("sites"))
    (folder / "notebooks").mkdir()
    notebook = nbformat.read(ROOT / "notebooks" / NAME, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    nbformat.write(notebook, folder / "notebooks" / NAME)
    return folder


@pytest.fixture(scope="module")
def address(project, tmp_path_factory):
    """Address of a running JupyterLab on `project`, with its token."""
    home = tmp_path_factory.mktemp("home")
    with jupyterlab(project, home) as server:
        yield f"{server['url']}lab/tree/{NAME}?token={server['token']}"


@contextmanager
def jupyterlab(project: Path, home: Path):
    """Run JupyterLab with no settings but those here; yields what it wrote about itself."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}  # else a pop-up asks
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet), encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IESORESEARCH"))}
    env |= {
        "IESORESEARCH_PROJECT": str(project),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_TOKEN": secrets.token_urlsafe(),  # not on the command line, where all can read it
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", str(project / "notebooks"), "--no-browser"]
    command += ["--KernelManager.transport=ipc"]  # as `make lab` does
    command += ["--ip=127.0.0.1", "--port=0", "--allow-root", "--expose-app-in-browser"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield wait_until_ready(server, home)
    finally:
        server.terminate()  # ends its kernels, too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(server: subprocess.Popen, home: Path) -> dict:
    """What the server writes about itself, port and token, once it listens."""
    information = home / "runtime" / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return json.loads(information.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there yet, or half written
            time.sleep(0.1)
    pytest.fail("JupyterLab did not start:\n" + (home / "log").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH (on Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address, tmp_path):
    """The notebook, opened in JupyterLab, its kernel connected."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    # The kernel looks idle before it is connected, and what is run then is lost.
    page.wait_for_function(CONNECTED, timeout=PATIENCE * 1000)
    yield page
    page.screenshot(path=tmp_path / "end.png")  # to be looked at when a test fails
    page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()


# What a scientist does


def run_all(page: Page) -> list[dict]:
    """Run all cells, from the menu; returns the code cells as they are when all is done."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=PATIENCE * 1000)
    cells = page.evaluate(f"{PANEL}.context.model.toJSON().cells")
    return [cell for cell in cells if cell["cell_type"] == "code"]


def show(page: Page, project: Path, name: str) -> Locator:
    """The cell with the id `name`, scrolled into view."""
    notebook = nbformat.read(project / "notebooks" / NAME, as_version=4)
    index = [cell.id for cell in notebook.cells].index(name)
    cell = page.locator(".jp-Cell").nth(index)
    cell.scroll_into_view_if_needed()
    return cell


def test_a_notebook_runs_and_shows_its_tables_and_figures(page, project, tmp_path):
    cells = run_all(page)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]

    checks = show(page, project, "run").get_by_role("table")
    expect(checks).to_be_visible()
    expect(checks.get_by_role("columnheader")).to_have_text(["Check", "Outcome", "Finding"])
    assert checks.get_by_role("row").count() > 1
    page.screenshot(path=tmp_path / "checks.png")
    for name in FIGURES:
        images = show(page, project, name).locator(".jp-OutputArea-output img")
        expect(images.first).to_be_visible()
        for i, image in enumerate(images.all()):  # a cell may show several
            image.scroll_into_view_if_needed()
            expect(image).to_be_in_viewport()
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
            page.screenshot(path=tmp_path / f"{name}-{i}.png")


def test_a_mistyped_parameter_is_answered_with_one_sentence(page, project, tmp_path):
    show(page, project, "parameters").get_by_role("textbox").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("n_sttaes = 3")
    cells = run_all(page)
    assert "\nn_sttaes = 3" in cells[0]["source"]
    assert [cell["id"] for cell in cells if cell["execution_count"]] == ["parameters", "open"]

    answer = show(page, project, "open").locator(".jp-OutputArea-output").inner_text().strip()
    page.screenshot(path=tmp_path / "answer.png")
    assert re.fullmatch(r"Parameters of subtypes: .*\bn_sttaes\b.*\bn_states\b.*", answer), answer
    assert len(re.findall(r"[.?!]+(?=\s|$)", answer)) == 1, f"one sentence, not: {answer}"
    assert not re.search(r"[/\\]|\.py\b", answer), f"no path, not: {answer}"
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()
