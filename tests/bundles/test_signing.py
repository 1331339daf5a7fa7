"""Who signs a bundle, with which key, and what has to be said for it."""

import errno
import hashlib
import json
import os
from dataclasses import replace

import polars as pl
import pytest

from iesoresearch import bundles
from iesoresearch.bundles import contents, keys, manifest
from iesoresearch.disclosure.findings import Finding
from iesoresearch.errors import DataError, DisclosureError, OutputError, ParameterError

from .conftest import MADE, a_result, finished


@pytest.mark.parametrize("name", ["new", "new.zip"])
def test_two_people_sign_one_after_the_other(site, name):
    path = site.make(name, about=bundles.About(signatures=2))
    first = site.sign(path)
    with pytest.raises(DisclosureError, match=r"1 of 2 signatures are there\. Ask site ieso"):
        bundles.verify(path, site.public)
    second = site.sign(path, name="Grace", role="second checker", statement=" I looked. ")
    found = bundles.verify(path, site.public)
    assert found.signatures == [first, second]
    assert (second.previous, second.statement) == (first.digest, "I looked.")
    assert (first.when, first.site, first.key) == (MADE, "ieso", site.key.public.id)


def test_a_signature_that_was_taken_out_from_under_another_is_missed(site, signed):
    site.sign(signed, name="Grace")
    path = signed / "signature.json"
    said = json.loads(path.read_bytes())
    path.write_bytes(manifest.text(said | {"signatures": said["signatures"][1:]}))
    with pytest.raises(DisclosureError, match="the signature of 'Grace' belongs to something else"):
        bundles.verify(signed, site.public)


@pytest.mark.parametrize("file", ["runs/first/tables/groups.csv", "disclosure.html"])
def test_what_was_changed_since_it_was_made_is_not_signed(site, file):
    path = site.make()
    (path / file).write_text("changed", encoding="utf-8")
    with pytest.raises(DisclosureError, match=f"{file} was changed"):
        site.sign(path)
    assert not (path / "signature.json").exists()


def test_a_manifest_that_was_changed_since_somebody_signed_is_not_signed_again(site, signed):
    said = json.loads((signed / "manifest.json").read_bytes())
    (signed / "manifest.json").write_bytes(manifest.text(said | {"sharing": "pooled only"}))
    with pytest.raises(DisclosureError, match=r"its manifest\.json was changed since Ada signed"):
        site.sign(signed, name="Grace")


def test_the_same_person_cannot_be_a_second_checker(site, signed):
    with pytest.raises(ParameterError, match="ada has signed this bundle already"):
        site.sign(signed, name=" ada ")


@pytest.mark.parametrize(
    "again", ["A\u200bda", "\uff21\uff44\uff41", "ADA", "A da", "Ada."], ids=ascii
)
def test_the_same_name_written_otherwise_is_no_second_person(site, signed, again, monkeypatch):
    with pytest.raises(ParameterError, match="has signed this bundle already"):
        site.sign(signed, name=again)
    with monkeypatch.context() as other:  # a program of the site that asks nothing
        other.setattr("iesoresearch.bundles.signatures._refuse_signatory", lambda *_: None)
        site.sign(signed, name=again)
    with pytest.raises(DisclosureError, match="somebody signed it twice"):
        bundles.verify(signed, site.public)


def test_a_name_that_nobody_can_see_is_none(site):
    with pytest.raises(ParameterError, match="has no letter"):
        site.sign(site.make(), name="\u200b")


@pytest.mark.parametrize("what", ["name", "role", "statement"])
def test_who_signs_is_said(site, what):
    with pytest.raises(ParameterError, match="Who signs a bundle must be known"):
        site.sign(site.make(), **{what: "  "})


def test_the_key_of_another_site_does_not_sign(site):
    other = bundles.SigningKey.make(site.root / "other.key", "other")
    with pytest.raises(ParameterError, match="bundle is of site ieso and the key of site other"):
        bundles.sign(site.make(), other, name="Ada", role="checker")


@pytest.fixture
def looked_at(site, monkeypatch):
    """A bundle with two kinds of findings that somebody has to look at."""
    from iesoresearch.disclosure import review

    usual = review.outputs
    more = [Finding("first", "text:plain", "review", rule, "Look.") for rule in ("words", "odd")]
    monkeypatch.setattr(review, "outputs", lambda *given: [*usual(*given), *more])
    return site.make()


def test_what_must_be_looked_at_is_accepted_kind_by_kind(site, looked_at):
    with pytest.raises(DisclosureError, match="look at words, odd"):
        site.sign(looked_at)
    with pytest.raises(DisclosureError, match="somebody has to look at odd"):
        site.sign(looked_at, accepted={"words": "method only", "odd": " "})
    with pytest.raises(ParameterError, match="Nothing has to be looked at for else"):
        site.sign(looked_at, accepted={"words": "a", "odd": "b", "else": "c"})
    site.sign(looked_at, accepted={"words": "method only", "odd": "known"})
    [signature] = bundles.verify(looked_at, site.public).signatures
    assert signature.accepted == {"words": "method only", "odd": "known"}


def test_a_signed_bundle_is_remembered_and_new_ones_are_compared_with_it(site):
    ledger = site.root / "released"
    first = site.make("first")
    bundles.sign(first, site.key, name="Ada", role="checker", ledger=ledger)
    bundles.sign(first, site.key, name="Grace", role="checker", ledger=ledger)
    [one] = bundles.earlier([ledger])  # once, however many sign
    assert one.results["first"].tables["groups"].frame["n"].to_list() == [200, 120, 60, 15]
    assert (one.made, one.fingerprint("first")) == (MADE, "f1")
    assert [same.digest for same in bundles.earlier([ledger, first])] == [one.digest]
    said = json.loads(contents.read(site.make("second", earlier=[one]))["manifest.json"])
    assert said["earlier"] == [{"name": one.name, "made": MADE, "manifest": one.digest}]


def test_what_two_bundles_tell_together_is_refused(site):
    """Of later data, group c is shown as 65 instead of 60: 1 to 9 people have come."""
    first = site.make("first")
    site.sign(first)
    frame = a_result().tables["groups"].frame.with_columns(n=pl.Series([200, 120, 65, 15]))
    tables = {"groups": replace(a_result().tables["groups"], frame=frame)}
    provenance = a_result().provenance | {"data_fingerprint": "f2"}
    later = replace(a_result(), tables=tables, provenance=provenance)
    run = finished(site.root / "later", "first", later)
    assert site.make("alone", runs=[run]).exists()
    with pytest.raises(DisclosureError, match="Run first, table:groups: Beside first: few people"):
        site.make("second", runs=[run], earlier=bundles.earlier([first]))


def test_a_damaged_ledger_stops_everything(site):
    ledger = site.root / "released"
    bundles.sign(site.make(), site.key, name="Ada", role="checker", ledger=ledger)
    [kept] = ledger.iterdir()
    kept.write_bytes(kept.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"earlier bundle .* cannot be compared with"):
        bundles.earlier([ledger])


@pytest.mark.parametrize("name", ["new", "new.zip"])
def test_a_full_disk_leaves_the_bundle_as_it_was(site, monkeypatch, name):
    path = site.make(name)
    before = contents.read(path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        site.sign(path)
    assert contents.read(path) == before
    assert [p.name for p in site.root.iterdir() if p.name.startswith(".")] == []


# Keys


def test_a_key_is_for_its_owner_alone_and_is_never_shown(tmp_path):
    path = tmp_path / "sites" / "ieso.key"
    key = bundles.SigningKey.make(path, "ieso")
    assert path.stat().st_mode & 0o777 == 0o600
    secret = bundles.SigningKey.load(path)._private.private_bytes_raw()
    assert secret.hex() not in repr(key)
    assert repr(secret)[2:-1] not in repr(key)
    assert bundles.SigningKey.load(path).public == key.public
    assert bundles.trusted(path.with_suffix(".pub")) == [key.public]


def test_a_key_is_never_replaced(tmp_path):
    bundles.SigningKey.make(tmp_path / "ieso.key", "ieso")
    content = (tmp_path / "ieso.key").read_bytes()
    for absent in ("ieso.pub", "ieso.key"):
        with pytest.raises(OutputError, match="is there already and was left as it is"):
            bundles.SigningKey.make(tmp_path / "ieso.key", "ieso")
        if absent == "ieso.pub":
            assert (tmp_path / "ieso.key").read_bytes() == content
            (tmp_path / "ieso.key").unlink()


def test_a_key_that_others_can_read_does_not_sign(site):
    path = site.root / "ieso.key"
    path.chmod(0o640)
    with pytest.raises(ParameterError, match="can be read by others on this machine"):
        bundles.SigningKey.load(path)


def test_a_key_without_its_public_half_does_not_sign(site):
    other = bundles.SigningKey.make(site.root / "other.key", "ieso")
    site.public.write_text(other.public.line(), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"is not the public half of ieso\.key"):
        bundles.SigningKey.load(site.root / "ieso.key")


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key(tmp_path, content):
    path = tmp_path / "ieso.key"
    with pytest.raises(ParameterError, match="is no key that signs bundles"):
        bundles.SigningKey.load(path)
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ParameterError, match="is no key that signs bundles"):
        bundles.SigningKey.load(path)


@pytest.mark.parametrize(
    "line",
    ["x", "ssh-ed25519 AAAA ieso", "iesoresearch-ed25519 AAAA ieso", "iesoresearch-ed25519 *** a"],
)
def test_what_is_no_public_key(tmp_path, line):
    (tmp_path / "a.pub").write_text(line, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"a\.pub is no file of public keys"):
        bundles.trusted(tmp_path)


def test_a_file_of_several_keys_with_remarks(tmp_path):
    many = [keys.PublicKey(f"site-{i}", bytes([i]) * 32) for i in range(3)]
    text = "# compared by telephone\n\n" + "".join(key.line() for key in many)
    (tmp_path / "all").write_text(text, encoding="utf-8")
    assert bundles.trusted(tmp_path / "all") == many
    with pytest.raises(ParameterError, match="holds no public key"):
        bundles.trusted(tmp_path)  # no file there ends in .pub


def test_a_file_of_a_site_speaks_for_no_other(tmp_path, signed):
    """Site B signs as site A: with a line of its own, or with A's name on its own key."""
    mine = bundles.SigningKey.make(tmp_path / "sites" / "north.key", "north")
    path = tmp_path / "sites" / "north.pub"
    assert bundles.trusted(path.parent) == [mine.public]
    as_other = keys.PublicKey("ieso", mine.public.raw)
    path.write_text(mine.public.line() + as_other.line(), encoding="utf-8")
    for place in (path, path.parent):
        with pytest.raises(ParameterError, match=r"only ieso\.pub may"):
            bundles.trusted(place)
    path.write_text(mine.public.line(), encoding="utf-8")
    (path.parent / "ieso.pub").write_text(as_other.line(), encoding="utf-8")
    with pytest.raises(ParameterError, match="Sites ieso and north have the same key"):
        bundles.verify(signed, path.parent)


def test_a_short_name_is_that_of_a_key_and_its_site():
    raw = bytes(32)
    assert keys.PublicKey("north", raw).id != keys.PublicKey("south", raw).id
    assert keys.PublicKey("north", raw).id == hashlib.sha256(b"north\n" + raw).hexdigest()[:32]


def test_a_signature_of_rfc_8032_is_known():
    """Test 2 of section 7.1 of RFC 8032."""
    raw = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = keys.PublicKey("rfc", bytes.fromhex(raw))
    assert key.signed(bytes.fromhex(signature), b"\x72")
    assert not key.signed(bytes.fromhex(signature), b"\x73")
    assert not key.signed(b"short", b"\x72")
