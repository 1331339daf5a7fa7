import base64
import dataclasses
import json
import os
import shutil
import stat
import threading
import traceback

import polars as pl
import pytest

from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.library import store
from iesoresearch.library.store import commit, disk, locking, state
from iesoresearch.library.store.check import check
from iesoresearch.library.store.keys import Keys

FRAME = pl.DataFrame({"patient_id": ["a", "b"], "age": [30, None]})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys.make(tmp_path_factory.mktemp("keys") / "key")


@pytest.fixture
def library(tmp_path, keys):
    """In a folder with spaces and letters of another alphabet."""
    made = store.create(tmp_path / "dë library/λ", keys, territory="UK", who="Ann")
    with made.writing("ingest", "first data") as draft:
        draft.write("patients", FRAME, part="00")
        draft.write("patients", FRAME.with_columns(patient_id=pl.lit("c")), part="01")
        draft.write("matching", FRAME, compartment="choices")
        draft.details["rows"] = 4
    return made


def again(library, keys):
    return store.open_library(library.folder, keys, who="Bob")


def test_what_is_written_is_read(library, keys):
    for opened in (library, again(library, keys)):
        assert opened.tables() == ["patients"]
        assert opened.tables("choices") == ["matching"]
        assert opened.parts("patients") == ["00", "01"]
        assert opened.has("matching", "choices")
        assert not opened.has("matching")
        assert opened.read("patients", part="00").equals(FRAME)
        assert opened.read("patients", columns=["patient_id"])["patient_id"].to_list() == [
            *("a", "b", "c", "c")
        ]
        assert (opened.territory, opened.settings, opened.generation) == ("UK", {}, 2)


def test_draft_reads_itself_and_nobody_else_does(library, keys):
    with library.writing("ingest", "more") as draft:
        draft.write("patients", FRAME.head(1), part="00")
        draft.write("patients", FRAME.head(1), part="00")
        draft.write("referrals", FRAME)
        draft.write("passing", FRAME)
        draft.drop("passing")
        draft.drop("patients", part="01")
        draft.drop("absent")
        assert draft.read("patients").equals(FRAME.head(1))
        assert draft.tables() == ["patients", "referrals"]
        assert draft.secret("dates") == library.secret("dates")
        assert library.read("patients").height == 4
        assert again(library, keys).read("patients").height == 4
    assert library.read("patients").equals(FRAME.head(1))
    assert library.read("matching", compartment="choices").equals(FRAME)
    assert not check(library).problems
    with pytest.raises(RuntimeError, match="committed or given up"):
        draft.write("patients", FRAME)


def test_draft_that_fails_never_was(library, keys):
    before = tree(library.folder)

    def fail():
        with library.writing("ingest", "more") as draft:
            draft.drop("patients")
            draft.write("referrals", FRAME)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert tree(library.folder) == before
    assert library.read("patients").height == 4
    assert again(library, keys).log() == library.log()


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != locking.LOCK
    }


def test_everything_is_for_the_owner_alone_whatever_the_mask(tmp_path, keys):
    old = os.umask(0)
    try:
        made = store.create(tmp_path / "library", keys, territory="UK", who="Ann")
        with made.writing("ingest", "data") as draft:
            draft.write("patients", FRAME)
    finally:
        os.umask(old)
    for path in (made.folder, *made.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_secrets_are_one_per_use_and_library_and_survive_rotation(library, keys, tmp_path):
    names = ("pseudonym", "dates", "national opt-out", "local opt-out", "log")
    before = {name: library.secret(name) for name in names}
    assert len(set(before.values())) == 5
    assert {len(secret) for secret in before.values()} == {32}
    other = store.create(tmp_path / "other", keys, territory="UK", who="Ann")
    assert other.secret("pseudonym") != before["pseudonym"]
    library.rotate(Keys.make(tmp_path / "new"), "yearly")
    assert {name: library.secret(name) for name in names} == before


@pytest.mark.parametrize("data", [False, True])
def test_rotation_shuts_out_the_old_key(library, keys, tmp_path, data):
    new = Keys.make(tmp_path / "new")
    files = {p.read_bytes() for p in library.folder.rglob("*.parquet")}
    library.rotate(new, "someone left", data=data)
    with pytest.raises(ParameterError, match=f"does not open this library.*{new.id}.*{keys.id}"):
        again(library, keys)
    opened = again(library, new)
    assert opened.read("patients").height == 4
    assert not check(opened).problems
    after = {p.read_bytes() for p in library.folder.rglob("*.parquet")}
    assert (files == after) != data
    assert (opened.log()[-1]["what"], opened.log()[-1]["why"]) == ("rotate", "someone left")
    with library.writing("ingest", "goes on") as draft:
        draft.drop("patients")
    with pytest.raises(ParameterError, match="The new key is the old one"):
        library.rotate(new, "again")


def test_new_key_and_new_library_are_durable_by_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(disk, "sync", lambda path: synced.append(path))
    (tmp_path / "keys").mkdir()
    made = Keys.make(tmp_path / "keys" / "key")
    store.create(tmp_path / "records", made, territory="UK", who="Ann")
    assert {tmp_path / "keys", tmp_path} <= set(synced)


def test_a_key_that_was_replaced_forges_no_line_and_no_state(library, keys, tmp_path):
    """Whoever had it has the root secret, too, which stays, and so the key of the log's MACs."""
    new = Keys.make(tmp_path / "new")
    root = library._state.root
    library.rotate(new, "the key was stolen", data=True)
    present = dataclasses.replace(library._state, root=root)
    entry = {"who": "Ann", "what": "extract", "why": "forged", "details": {}}
    commit.record(library.folder, present, keys, entry)
    with pytest.raises(DataError, match="CURRENT is damaged or was changed"):
        again(library, new)


def test_log_tells_who_what_why_and_no_small_count(library, keys, monkeypatch):
    monkeypatch.setenv(store.WHO_VARIABLE, "Cem")
    later = store.open_library(library.folder, keys)
    later.note("extract", "study 7", {"rows": 1234, "refused": 3})
    told = [(e["n"], e["who"], e["what"], e["why"], e["details"]) for e in later.log()]
    created = {"territory": "UK", "key": keys.id}
    assert told == [
        (1, "Ann", "create", "the library was made", created),
        (2, "Ann", "ingest", "first data", {"rows": "fewer than 10"}),
        (3, "Cem", "extract", "study 7", {"rows": 1234, "refused": "fewer than 10"}),
    ]
    assert later.generation == 2
    with pytest.raises(ParameterError, match="--why"), later.writing("ingest", " "):
        pass


def test_who_is_the_user_of_the_system_if_not_told(monkeypatch):
    monkeypatch.delenv(store.WHO_VARIABLE, raising=False)
    monkeypatch.setenv("LOGNAME", "ann")
    assert store.default_who() == "ann"

    def nobody():
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    with pytest.raises(ParameterError, match="give --who"):
        store.default_who()


def test_commit_without_change_is_a_line_of_the_log(library):
    with library.writing("look", "nothing new") as draft:
        draft.details["looked at"] = "all"
    assert library.generation == 2
    assert library.log()[-1]["details"] == {"looked at": "all"}


# ---- what cannot be opened


def test_no_library(tmp_path, keys):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ParameterError, match="is no library"):
            store.open_library(folder, keys)
    (tmp_path / state.ABOUT).write_text('{"format": "something"}')
    with pytest.raises(ParameterError, match="is no library"):
        store.open_library(tmp_path, keys)
    (tmp_path / state.ABOUT).write_text("[")
    with pytest.raises(DataError, match="damaged"):
        store.open_library(tmp_path, keys)


@pytest.mark.parametrize(("version", "age"), [(0, "an older"), (2, "a newer")])
def test_library_of_another_version(library, keys, version, age):
    path = library.folder / state.ABOUT
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    with pytest.raises(ParameterError, match=f"{age} version of iesoresearch"):
        again(library, keys)


@pytest.mark.parametrize(
    "file",
    ["library.json", "CURRENT", "generations/2/keys.json", "generations/2/manifest.json"],
)
def test_small_file_that_was_changed_or_lost_is_named(library, keys, file):
    path = library.folder / file
    content = path.read_bytes()
    for old, new in (
        (b"UK", b"US"),
        (b'"entries": 2', b'"entries": 1'),
        (b'"00', b'"07'),
        (b'"keys": {\n', b'"keys": {\n\n'),
        (b"\n", b""),
    ):
        if (changed := content.replace(old, new, 1)) != content and (file, new) != ("CURRENT", b""):
            path.write_bytes(changed)
            with pytest.raises(DataError, match=f"{path.name}.*changed"):
                again(library, keys)
    path.unlink()
    with pytest.raises((DataError, ParameterError), match=r"is missing|is no library"):
        again(library, keys)


def test_settings_that_were_changed_are_found_out(library, keys):
    path = library.folder / state.ABOUT
    path.write_text(path.read_text().replace('"settings": {}', '"settings": {"a": 1}'))
    with pytest.raises(DataError, match=r"library\.json is damaged or was changed"):
        again(library, keys)


def test_log_that_was_cut_or_replaced_is_found_out_on_opening(library, keys):
    path = library.folder / state.LOG
    content = path.read_bytes()
    for changed in (content[:-1], content.splitlines(keepends=True)[0], b"", content * 2):
        path.write_bytes(changed)
        with pytest.raises(DataError, match=r"log\.jsonl does not end"):
            again(library, keys)


@pytest.mark.parametrize("file", ["CURRENT", "log.jsonl", "library.json"])
def test_links_are_not_followed(library, keys, tmp_path, file):
    path = library.folder / file
    path.rename(tmp_path / "aside")
    path.symlink_to(tmp_path / "aside")
    with pytest.raises((DataError, OutputError), match=f"{file} cannot be read"):
        again(library, keys)


def test_part_in_another_place_or_of_another_time_or_library(library, keys, tmp_path):
    parts = library.folder / "generations/2/records/patients"
    first = (parts / "00.parquet").read_bytes()
    other = shutil.copytree(library.folder, tmp_path / "copy")
    with library.writing("ingest", "newer") as draft:
        draft.write("patients", FRAME.tail(1), part="00")
    place = library.folder / "generations/3/records/patients/00.parquet"
    second = place.read_bytes()
    strange = store.create(tmp_path / "strange", keys, territory="UK", who="Ann")
    with strange.writing("ingest", "x") as draft:
        draft.write("patients", FRAME, part="00")
    third = (strange.folder / "generations/2/records/patients/00.parquet").read_bytes()
    for content in (
        first,
        third,
        (other / "generations/2/records/patients/01.parquet").read_bytes(),
    ):
        place.write_bytes(content)
        with pytest.raises(DataError, match=r"00\.parquet is damaged or was changed"):
            again(library, keys).read("patients")
    place.write_bytes(second)
    assert again(library, keys).read("patients", part="00").equals(FRAME.tail(1))


def test_library_copied_while_it_was_written(library, keys, tmp_path):
    """Files of two times in one folder: the older CURRENT, and all else newer."""
    shutil.copytree(library.folder, tmp_path / "copy")
    with library.writing("ingest", "newer") as draft:
        draft.drop("matching", compartment="choices")
    current = (tmp_path / "copy/CURRENT").read_bytes()
    shutil.rmtree(tmp_path / "copy")
    shutil.copytree(library.folder, tmp_path / "copy")
    (tmp_path / "copy/CURRENT").write_bytes(current)
    with pytest.raises(DataError, match=r"manifest\.json is missing"):
        store.open_library(tmp_path / "copy", keys)


# ---- names and words


@pytest.mark.parametrize("name", ["..", "a/b", "A", "", "ü", "a.b", "-a", "x" * 64])
def test_names_that_lead_elsewhere_are_refused(library, name):
    with library.writing("ingest", "x") as draft:
        with pytest.raises(ParameterError, match="names no table or part"):
            draft.write(name, FRAME)
        with pytest.raises(ParameterError, match="names no table or part"):
            draft.write("a", FRAME, part=name)
        with pytest.raises(ParameterError, match="no compartment"):
            draft.write("a", FRAME, compartment=name)


def test_absent_table_part_and_column(library, tmp_path, keys):
    with pytest.raises(DataError, match=r"no table 'contacts' in its records\. It has patients"):
        library.read("contacts")
    with pytest.raises(DataError, match="no table 'patients', part '07', in its records"):
        library.read("patients", part="07")
    with pytest.raises(DataError, match="has no column sex"):
        library.read("patients", columns=["sex"])
    empty = store.create(tmp_path / "empty", keys, territory="UK", who="Ann")
    with pytest.raises(DataError, match="It has no tables yet"):
        empty.read("patients")


def test_parts_with_other_columns_are_refused(library):
    with library.writing("ingest", "x") as draft:
        draft.write("patients", FRAME.select("age"), part="01")
    with pytest.raises(DataError, match="parts of table 'patients' have different columns"):
        library.read("patients")


# ---- create


def test_create_leaves_what_is_there(tmp_path, keys, library):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/diary").write_text("dear")
    for folder in (tmp_path / "x", library.folder):
        before = tree(folder)
        with pytest.raises(OutputError, match="it was left as it is"):
            store.create(folder, keys, territory="UK", who="Ann")
        assert tree(folder) == before
    with pytest.raises(ParameterError, match="--territory"):
        store.create(tmp_path / "y", keys, territory="", who="Ann")
    with pytest.raises(OutputError, match="cannot be written"):
        store.create(tmp_path / "x/diary/z", keys, territory="UK", who="Ann")


def test_create_in_a_file_system_of_its_own(tmp_path, keys):
    """Its folder is empty but for lost+found, and cannot be moved to."""
    (tmp_path / "lost+found").mkdir()
    made = store.create(tmp_path, keys, territory="UK", who="Ann")
    assert not check(made).problems


@pytest.mark.parametrize(
    "retention",
    [
        *(8, {"years": 8}, {"years_after_discharge": -1}, {"years_after_discharge": True}),
        {"years_after_discharge": 8, "tables": {"content": 9}},
    ],
)
def test_settings_are_checked_when_they_are_settled(tmp_path, keys, retention):
    with pytest.raises(ParameterError, match="retention schedule that cannot be used"):
        store.create(
            tmp_path / "x", keys, territory="UK", who="Ann", settings={"retention": retention}
        )
    with pytest.raises(ParameterError, match="words, numbers, lists"):
        store.create(tmp_path / "x", keys, territory="UK", who="Ann", settings={"a": {1, 2}})
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retenton": {}}, r"no setting 'retenton' \(did you mean retention\?\)"),
        ({"a": 1}, r"no setting 'a' \(known: retention, transcripts"),
        ({"transcripts": "yes"}, "setting transcripts of a library must be true or false"),
        ({"recipient_territories": "IE"}, "must be a list of two-letter codes"),
        ({"recipient_territories": ["Narnia"]}, "'Narnia' is no territory"),
        ({"annotation_sessions": True}, "must be a whole number, not below 0"),
        ({"annotation_share": "lots"}, "must be a share between 0 and 1"),
    ],
)
def test_settings_that_nobody_could_use_are_refused(tmp_path, keys, settings, message):
    with pytest.raises(ParameterError, match=message):
        store.create(tmp_path / "x", keys, territory="UK", who="Ann", settings=settings)
    assert not (tmp_path / "x").exists()


def test_a_library_is_somewhere(tmp_path, keys):
    with pytest.raises(ParameterError, match="'Narnia' is no territory: write its two-letter code"):
        store.create(tmp_path / "x", keys, territory="Narnia", who="Ann")


# ---- several at once


def test_second_writer_is_refused_and_told_who_writes(library, keys):
    other = again(library, keys)
    with library.writing("ingest", "x") as draft:
        with pytest.raises(OutputError, match=r"written by Ann since 20\d\d-.* \(process \d+\)"):
            other.note("look", "x", {}, wait=0)
        with pytest.raises(OutputError, match="by this very object"):
            library.note("look", "x", {})
        draft.drop("patients")
    other.note("look", "x", {}, wait=0)
    assert [e["n"] for e in again(library, keys).log()] == [1, 2, 3, 4]


def test_second_writer_waits_and_works_on_what_the_first_wrote(library, keys):
    other, begun = again(library, keys), threading.Event()

    def write():
        begun.set()
        with other.writing("ingest", "second") as draft:
            draft.write("second", draft.read("first"))

    waiting = threading.Thread(target=write)
    with library.writing("ingest", "first") as draft:
        waiting.start()
        begun.wait()
        draft.write("first", FRAME)
    waiting.join()
    assert again(library, keys).tables() == ["first", "patients", "second"]


def test_reader_keeps_what_it_reads_and_is_cleared_up_after(library, keys):
    reader = again(library, keys)
    with library.writing("ingest", "x") as draft:
        draft.drop("patients")
    assert reader.read("patients").height == 4
    assert (library.folder / "generations/2").exists()
    assert any("another generation" in note for note in check(library).notes)
    assert not library.clear(wait=0)
    reader.close()
    assert library.clear(wait=0)
    assert [p.name for p in (library.folder / "generations").iterdir()] == ["3"]


def test_reader_that_comes_between_commit_and_removal(library, keys, monkeypatch):
    """It read CURRENT, and its generation is gone before it could hold it."""
    real, calls = locking.reading, []

    def late(path):
        if not calls:
            calls.append(path)
            with library.writing("ingest", "x") as draft:
                draft.write("referrals", FRAME)
        return real(path)

    monkeypatch.setattr(locking, "reading", late)
    reader = again(library, keys)
    assert calls
    assert reader.generation == 3
    assert reader.read("referrals").equals(FRAME)


def test_library_that_changes_all_the_time(library, keys, monkeypatch):
    real = locking.reading

    def late(path):
        held = real(path)
        current = library.folder / state.CURRENT
        current.write_bytes(current.read_bytes() + b"\n")
        return held

    monkeypatch.setattr(locking, "reading", late)
    with pytest.raises(OutputError, match="written so often"):
        again(library, keys)


def test_read_only_folder_is_read_and_not_written(library, keys, monkeypatch):
    """As a file system that is mounted so refuses it, to the superuser as well."""
    real = os.open

    def refuse(path, how, *rest, **names):
        if how & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system")
        return real(path, how, *rest, **names)

    monkeypatch.setattr(os, "open", refuse)
    reader = again(library, keys)
    assert reader.read("patients").height == 4
    assert not check(reader).problems
    with pytest.raises(OutputError, match=r"cannot be written \(Read-only file system\)"):
        reader.note("look", "x", {})


def test_file_system_without_second_names_gets_copies(library, keys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with library.writing("ingest", "x") as draft:
        draft.write("referrals", FRAME)
    assert library.read("patients").height == 4
    assert not check(library).problems


# ---- secrets


def test_no_file_or_text_shows_any_key(library, keys, tmp_path, capfd):
    new = Keys.make(tmp_path / "new")
    texts = [f"{library!r} {library.log()} {library._state!r}"]
    library.rotate(new, "x")
    for act in (
        lambda: again(library, keys),
        lambda: again(library, new).read("absent"),
        lambda: store.open_library(tmp_path, keys),
    ):
        try:
            act()
        except (DataError, ParameterError) as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            texts.append("".join(told.format()))
    texts.append(f"{capfd.readouterr()} {library._state!r}")
    secrets = [keys._master.content, new._master.content, library._state.root.content]
    secrets += [part.written.key.content for part in library._state.parts.values()]
    content = [p.read_bytes() for p in library.folder.rglob("*") if p.is_file()]
    content += [text.encode() for text in texts]
    for secret in secrets:
        forms = (secret, base64.b64encode(secret), secret.hex().encode(), repr(secret).encode())
        assert not any(form in whole for form in forms for whole in content)
