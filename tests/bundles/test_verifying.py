"""Nothing that was changed, is not signed by a trusted site, or discloses, is let in."""

import contextlib
import io
import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch import bundles, stored
from iesoresearch.bundles import contents, manifest, signatures
from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, DisclosureError, IesoError

from .conftest import MADE, POLICY, Site, a_result, finished


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A site with a signed bundle as a folder and as a zip file, never changed."""
    root = tmp_path_factory.mktemp("sent")
    key = bundles.SigningKey.make(root / "ieso.key", "ieso")
    site = Site(root, key, finished(root / "out", "first", a_result()))
    for name in ("folder", "file.zip"):
        site.sign(site.make(name))
    return site


@pytest.fixture(scope="module")
def files(sent):
    return contents.read(sent.root / "folder")


def laid(folder, files):
    """Files as a bundle lies on a disk, whatever they are."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["folder", "file.zip"])
def test_a_signed_bundle_is_let_in_with_all_that_is_declared(sent, name):
    found = bundles.verify(sent.root / name, sent.public)
    assert (found.site, found.sharing, found.policy) == ("ieso", "named", POLICY)
    assert [one.name for one in found.signatures] == ["Ada"]
    assert found.digest == manifest.sha256((sent.root / "folder" / "manifest.json").read_bytes())
    table = found.results["first"].tables["groups"]
    assert table.population == "patients"
    assert table.values == a_result().tables["groups"].values
    assert table.frame["better"].to_list() == [100, 60, 30, None]


def test_a_folder_of_keys_is_trusted_as_their_files_are(sent, tmp_path):
    other = bundles.SigningKey.make(tmp_path / "other.key", "other")
    shutil.copy(sent.public, tmp_path)
    assert bundles.verify(sent.root / "folder", tmp_path).site == "ieso"
    assert bundles.verify(sent.root / "folder", [other.public, sent.key.public]).site == "ieso"


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_no_byte_of_any_file_can_be_another(sent, files, data):
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    content = bytearray(files[name])
    content[at] ^= data.draw(st.integers(1, 255))
    path = sent.root / "folder" / name
    path.write_bytes(content)
    try:
        with pytest.raises(IesoError):
            bundles.verify(sent.root / "folder", sent.public)
    finally:
        path.write_bytes(files[name])


def test_no_byte_of_a_signature_can_be_another(sent, files):
    """All of them, one after the other: spaces and capital letters too."""
    said = json.loads(files["manifest.json"])
    for at, byte in enumerate(files["signature.json"]):
        content = bytearray(files["signature.json"])
        content[at] = byte ^ 0x20  # a letter becomes its capital, and the other way round
        with pytest.raises(DisclosureError, match="The bundle b is refused"):
            signatures.check(
                Path("b"), {**files, "signature.json": bytes(content)}, said, [sent.key.public]
            )


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_no_byte_of_a_zip_file_can_be_another(sent, tmp_path_factory, data):
    content = bytearray((sent.root / "file.zip").read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    changed = data.draw(st.sampled_from(["flip", "remove", "insert", "cut"]))
    if changed == "flip":
        content[at] ^= data.draw(st.integers(1, 255))
    elif changed == "remove":
        del content[at]
    elif changed == "insert":
        content.insert(at, data.draw(st.integers(0, 255)))
    else:
        del content[at:]
    path = tmp_path_factory.getbasetemp() / "changed.zip"
    path.write_bytes(content)
    with pytest.raises(IesoError):
        bundles.verify(path, sent.public)


def test_the_headers_of_a_zip_file_can_be_no_others(sent, tmp_path):
    """Times, flags and sizes, byte by byte: in the directory at its end, and of the first file."""
    content = (sent.root / "file.zip").read_bytes()
    path = tmp_path / "b.zip"
    directory = content.index(b"PK\x01\x02")
    for at in [
        *range(60),
        *range(directory, directory + 90),
        *range(len(content) - 22, len(content)),
    ]:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(IesoError):
            bundles.verify(path, sent.public)


@pytest.mark.parametrize("more", [b"x", b"PK\x05\x06" + bytes(18)])
def test_nothing_is_hidden_before_or_behind_a_zip_file(sent, tmp_path, more):
    content = (sent.root / "file.zip").read_bytes()
    for changed in (more + content, content + more):
        (tmp_path / "b.zip").write_bytes(changed)
        with pytest.raises(IesoError):
            bundles.verify(tmp_path / "b.zip", sent.public)


def archive(path, entries, kind=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as made:
        for name, content in entries:
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, kind)
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([("../../evil.json", b"{}")], r"\.\./\.\./evil\.json is no file"),
        ([("/etc/evil.json", b"{}")], "/etc/evil.json is no file"),
        ([("runs/a/..\\b.json", b"{}")], "is no file that a bundle may hold"),
        ([("manifest.json", b"{}"), ("manifest.json", b"{}")], "two files of the same name"),
        ([("runs/a/notebook.ipynb", b"{}")], "notebook.ipynb is no file"),
        ([("runs/a/private/rows.parquet", b"{}")], "rows.parquet is no file"),
        ([("runs/a/x\x1b[2J.json", b"{}")], r"x\?\[2J.json is no file"),
        ([("runs/a/", b"")], "runs/a/ is no file"),
    ],
)
def test_zip_files_with_other_names_are_refused(sent, tmp_path, entries, why):
    path = archive(tmp_path / "b.zip", entries)
    with pytest.raises(DisclosureError, match=why):
        bundles.verify(path, sent.public)


def test_a_zip_file_that_would_grow_is_not_unpacked(sent, tmp_path, monkeypatch):
    packed = archive(tmp_path / "b.zip", [("manifest.json", bytes(10**6))], zipfile.ZIP_DEFLATED)
    with pytest.raises(DisclosureError, match="files in it are compressed or encrypted"):
        bundles.verify(packed, sent.public)
    monkeypatch.setattr(contents, "MOST_BYTES", 100)
    with pytest.raises(DisclosureError, match="is larger than"):
        bundles.verify(sent.root / "file.zip", sent.public)


def test_a_zip_file_packed_by_another_program_is_said_to_be_so(sent, files, tmp_path):
    path = archive(tmp_path / "b.zip", sorted(files.items()))
    with pytest.raises(DisclosureError, match="then unpack it and name the folder"):
        bundles.verify(path, sent.public)


def added(folder, name, content=b"{}"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


CHANGES = {
    "a table added": (
        lambda b: added(b, "runs/first/tables/more.csv"),
        "runs/first/tables/more.csv was added",
    ),
    "a run added": (lambda b: added(b, "runs/second/result.json"), "was added"),
    "a notebook added": (lambda b: added(b, "runs/first/notebook.ipynb"), "is no file that"),
    "rows added": (lambda b: added(b, "runs/first/private/rows.parquet"), "is no file that"),
    "a hidden file": (lambda b: added(b, ".hidden"), r"\.hidden is no file that"),
    "removed": (
        lambda b: (b / "runs/first/numbers.json").unlink(),
        "runs/first/numbers.json was removed",
    ),
    "renamed": (
        lambda b: (b / "runs/first/tables/groups.csv").rename(b / "runs/first/tables/g.csv"),
        "g.csv was added, runs/first/tables/groups.csv was removed",
    ),
    "other capitals": (
        lambda b: added(b, "runs/first/tables/Groups.csv"),
        "differs from another file by capital letters only",
    ),
    "a link": (
        lambda b: (b / "runs/first/tables/link.csv").symlink_to(b / "manifest.json"),
        "link.csv is a link or no plain file",
    ),
    "a file made a link": (
        lambda b: (
            (b / "disclosure.html").rename(b.parent / "aside"),
            (b / "disclosure.html").symlink_to(b.parent / "aside"),
        ),
        "disclosure.html is a link or no plain file",
    ),
    "a folder made a link": (
        lambda b: (
            (b / "runs").rename(b.parent / "runs"),
            (b / "runs").symlink_to(b.parent / "runs"),
        ),
        "runs is a link or no plain file",
    ),
    "a pipe": (lambda b: os.mkfifo(b / "runs/first/pipe.json"), "is a link or no plain file"),
    "an empty folder": (lambda b: (b / "runs/first/more").mkdir(), "is an empty folder"),
    "not signed": (lambda b: (b / "signature.json").unlink(), "nobody signed it"),
    "too large": (
        lambda b: added(b, "runs/first/x.json", bytes(16 * 2**20 + 1)),
        "larger than 16 MB",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_added_removed_renamed_or_linked_is_said(sent, files, tmp_path, case):
    change, why = CHANGES[case]
    folder = laid(tmp_path / "b", files)
    change(folder)
    with pytest.raises(DisclosureError, match=f"The bundle b is refused: .*{why}") as refused:
        bundles.verify(folder, sent.public)
    assert "sk " in str(refused.value)  # whom to ask
    assert refused.value.exit_code == 5


def signed_anew(site, files, tmp_path, edit):
    """A bundle whose site itself wrote and signed something else into it."""
    files = dict(files)
    del files["signature.json"]
    edit(files)
    other = files.pop("said", {})
    said = json.loads(files["manifest.json"])
    said["files"] = {
        name: {"sha256": manifest.sha256(content), "size": len(content)}
        for name, content in sorted(files.items())
        if name != "manifest.json"
    }
    files["manifest.json"] = manifest.text(said | other)
    unsigned = bundles.Signature(
        *("Eve", "role", "statement", {}, MADE, "ieso", site.key.public.id),
        *(manifest.sha256(files["manifest.json"]), ""),
    )
    signature = site.key.sign(unsigned.message).hex()
    words = {**vars(unsigned), "signature": signature}
    files["signature.json"] = manifest.text({"format": 1, "signatures": [words]})
    return laid(tmp_path / "b", files)


def in_text(name, old, new):
    def edit(files):
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return edit


RESULT = "runs/first/result.json"
LIES = {
    "a sentence that says more": (
        in_text(RESULT, b"Of 395 people most", b"Of 393 people most"),
        f"{RESULT} is not what its results give, or was made with another version",
    ),
    "a figure's table that says more": (
        in_text("runs/first/figures/dots.csv", b"d,15,", b"d,15,2"),
        "figures/dots.csv is not what",
    ),
    "something beside the result": (
        in_text(RESULT, b'"format": 2,', b'"format": 2,\n "more": "hidden",'),
        f"{RESULT} is not what",
    ),
    "a picture, which may hide anything": (
        lambda files: files.update({"runs/first/figures/dots.svg": b"<svg>rows</svg>"}),
        "figures/dots.svg is no file that a bundle may hold",
    ),
    "a table of no figure": (
        lambda files: files.update({"runs/first/figures/more.csv": b"rows"}),
        "figures/more.csv is not what",
    ),
    "a page that says something else": (
        in_text("disclosure.html", b"</body>", b"<script>1</script></body>"),
        "disclosure.html is not what its results give",
    ),
    "a crate that says something else": (
        in_text("ro-crate-metadata.json", b"Aggregates of site ieso", b"rows of patients"),
        "ro-crate-metadata.json is not what its results give",
    ),
    "a document of no result": (
        lambda files: files.update({"runs/first/model.json": b"{}"}),
        "model.json is not what",
    ),
    "a run that is not described": (
        lambda files: files.update(
            {n.replace("first", "other"): c for n, c in files.items() if "first" in n}
        ),
        "run other is described and not there, or the other way round",
    ),
    "a sentence without end": (
        in_text(RESULT, b'"plain": "Of {people} most', b'"plain": "{people.value:>99999999}'),
        r"its results cannot be judged \(ValueError\)",
    ),
    "a sentence of no number": (
        in_text(RESULT, b'"plain": "Of {people} most', b'"plain": "{absent} most'),
        r"its results cannot be judged \(KeyError\)",
    ),
    "a sentence that looks inside": (
        in_text(RESULT, b'"plain": "Of {people} most', b'"plain": "{people.__class__} most'),
        r"its results cannot be judged \(ValueError\)",
    ),
    "a looser policy": (
        lambda files: files.update(said={"policy": vars(POLICY) | {"min_count": 5}}),
        "its disclosure policy is looser than yours",
    ),
    "a policy that shows nothing and looks strict": (
        lambda files: files.update(said={"policy": vars(POLICY) | {"round_to": 1000}}),
        "its disclosure policy rounds 10, which may be shown, to 0",
    ),
    "a policy that results were not released under": (
        lambda files: files.update(said={"policy": vars(POLICY) | {"min_count": 11}}),
        "released under another policy than it says",
    ),
    "its own findings refuse": (
        in_text("disclosure.json", b'"status": "pass"', b'"status": "refuse"'),
        "its own disclosure.json says that it must not leave",
    ),
    "findings that nobody looked at": (
        in_text("disclosure.json", b'"status": "pass"', b'"status": "review"'),
        "'Eve' did not say why it may pass",
    ),
    "more signatures than there are": (
        lambda files: files.update(said={"signatures": 2}),
        "1 of 2 signatures are there",
    ),
    "another site": (
        lambda files: files.update(said={"site": "other"}),
        "the signature of 'Eve' belongs to something else",
    ),
}


@pytest.mark.parametrize("case", LIES)
def test_a_site_cannot_sign_what_is_not_so(sent, files, tmp_path, case):
    edit, why = LIES[case]
    folder = signed_anew(sent, files, tmp_path, edit)
    with pytest.raises(DisclosureError, match=why):
        bundles.verify(folder, sent.public)


@pytest.mark.parametrize(
    "said",
    [
        {"format": "1"}, {"format": 0}, {"what": "else"}, {"sharing": "all"}, {"signatures": 0},
        {"signatures": True}, {"policy": {"min_count": "10"}}, {"policy": {"few": 1}},
        {"policy": 1}, {"runs": []}, {"runs": {"first": 1}}, {"site": "../x"}, {"made": 1},
        {"earlier": [{}]}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_manifest_that_is_not_as_it_must_be_is_damaged(sent, files, tmp_path, said):
    folder = signed_anew(sent, files, tmp_path, lambda files: files.update(said=said))
    with pytest.raises(DataError, match=r"its manifest\.json is damaged"):
        bundles.verify(folder, sent.public)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff\xfe", b"[" * 10**5, b'{"a":1,"a":2}']
)
def test_a_manifest_that_is_no_json_of_ours_is_damaged(sent, files, tmp_path, content):
    folder = laid(tmp_path / "b", {**files, "manifest.json": content})
    with pytest.raises(DataError, match=r"its manifest\.json is damaged"):
        bundles.verify(folder, sent.public)


def test_a_later_format_asks_for_a_later_program(sent, files, tmp_path):
    edit = lambda files: files.update(said={"format": 2, "surprise": 1})  # noqa: E731
    with pytest.raises(DataError, match=r"later version of iesoresearch\. Update yours"):
        bundles.verify(signed_anew(sent, files, tmp_path, edit), sent.public)


def test_a_result_that_discloses_is_refused_whoever_signed_it(sent, files, tmp_path):
    """A site whose program let a small count through: it is found again where it arrives."""
    result = a_result()
    small = result.tables["groups"].frame.with_columns(better=pl.lit(3, dtype=pl.Int64))
    tables = {"groups": replace(result.tables["groups"], frame=small)}

    def edit(files):
        run = tmp_path / "run"
        run.mkdir()
        shown = replace(result, tables=tables, private={})
        stored.write_result(shown, run)
        for path in run.rglob("*"):
            if path.is_file():
                files[f"runs/first/{path.relative_to(run).as_posix()}"] = path.read_bytes()

    folder = signed_anew(sent, files, tmp_path, edit)
    with pytest.raises(DisclosureError, match=r"it discloses\. Run first, table:groups"):
        bundles.verify(folder, sent.public)


def test_a_damaged_result_is_one_sentence(sent, files, tmp_path):
    edit = lambda files: files.update({"runs/first/numbers.json": b"[]"})  # noqa: E731
    with pytest.raises(DataError, match="The result in first cannot be read"):
        bundles.verify(signed_anew(sent, files, tmp_path, edit), sent.public)


def test_a_key_that_is_not_trusted_is_named(sent, tmp_path):
    other = bundles.SigningKey.make(tmp_path / "ieso.key", "ieso")
    with pytest.raises(DisclosureError, match=f"{sent.key.public.id} in the name of site ieso"):
        bundles.verify(sent.root / "folder", tmp_path / "ieso.pub")
    namesake = bundles.PublicKey("other", sent.key.public.raw)  # trusted, but as another site
    with pytest.raises(DisclosureError, match="not among the keys you trust"):
        bundles.verify(sent.root / "folder", [other.public, namesake])


def test_a_stricter_centre_refuses_and_a_looser_one_does_not(sent):
    with pytest.raises(DisclosureError, match="min_count 10 instead of 20"):
        bundles.verify(sent.root / "folder", sent.public, Policy(min_count=20))
    assert bundles.verify(sent.root / "folder", sent.public, Policy(min_count=5)).site == "ieso"


def test_a_centre_may_ask_for_two_people(sent):
    with pytest.raises(DisclosureError, match="1 of 2 signatures are there"):
        bundles.verify(sent.root / "folder", sent.public, signatures=2)


def test_a_centre_compares_with_what_it_let_in_before(site):
    """Made without the ledger of the site: of later data, group c is 65 instead of 60."""
    site.sign(site.make("first"))
    shown = a_result()
    frame = shown.tables["groups"].frame.with_columns(n=pl.Series([200, 120, 65, 15]))
    tables = {"groups": replace(shown.tables["groups"], frame=frame)}
    provenance = shown.provenance | {"data_fingerprint": "f2"}
    later = replace(shown, tables=tables, provenance=provenance)
    second = site.make("second", runs=[finished(site.root / "later", "first", later)])
    site.sign(second)
    before = bundles.earlier([site.root / "first"])
    assert bundles.verify(second, site.public).before == ""
    with pytest.raises(DisclosureError, match=r"it discloses\. Run first, table:groups: Beside f"):
        bundles.verify(second, site.public, earlier=before)
    elsewhere = [replace(one, site="other") for one in before]
    assert bundles.verify(second, site.public, earlier=elsewhere).newer == []


def test_an_old_bundle_sent_again_is_said_to_be_so(site):
    old = site.make("old")
    later = site.make("later", about=bundles.About(made="2026-12-01T00:00:00Z"))
    site.sign(old)
    site.sign(later)
    found = bundles.verify(old, site.public, earlier=bundles.earlier([old, later]))
    assert (found.before, found.newer) == ("old", ["later"])


@pytest.mark.parametrize("name", ["absent", "absent.zip"])
def test_a_bundle_that_is_not_there(sent, name):
    with pytest.raises(DataError, match="There is no bundle at"):
        bundles.verify(sent.root / name, sent.public)


def test_something_else_is_no_bundle(sent, tmp_path):
    with pytest.raises(DataError, match="is no bundle: it has no"):
        bundles.verify(tmp_path, sent.public)
    (tmp_path / "b.zip").write_bytes(b"no zip file")
    with pytest.raises(DataError, match="is no zip file, or it was damaged on its way"):
        bundles.verify(tmp_path / "b.zip", sent.public)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


def replaced(content, data):
    """JSON with something in it replaced by something else."""
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(content)
    node, key = data.draw(st.sampled_from(places))
    node[key] = data.draw(JSON)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_whatever_a_site_signs_is_let_in_or_refused_in_a_sentence(
    sent, files, tmp_path_factory, data
):
    """Its program may be another, so nothing in its files has to be as ours writes it."""
    name = data.draw(st.sampled_from(["result", "numbers", "checks"]))

    def edit(files):
        content = json.loads(files[f"runs/first/{name}.json"])
        replaced(content, data)
        files[f"runs/first/{name}.json"] = manifest.text(content)

    folder = signed_anew(sent, files, tmp_path_factory.mktemp("odd"), edit)
    with contextlib.suppress(IesoError):
        bundles.verify(folder, sent.public)


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_whatever_a_manifest_says_is_let_in_or_refused_in_a_sentence(
    sent, files, tmp_path_factory, data
):
    said = json.loads(files["manifest.json"])
    replaced(said, data)
    edit = lambda files: files.update(said=said)  # noqa: E731
    folder = signed_anew(sent, files, tmp_path_factory.mktemp("odd"), edit)
    with contextlib.suppress(IesoError):
        assert bundles.verify(folder, sent.public).site == "ieso"
