"""From finished runs over signed bundles to the pool: what is read is what was released."""

from pathlib import Path

import pytest

from iesoresearch import bundles, files, stored
from iesoresearch.analyses.pooling import Params, computed, drawn, site, study
from iesoresearch.analyses.pooling.sites import COUNTS, REGRESSION
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DisclosureError
from iesoresearch.params import Settings

MADE = "2026-11-23T08:00:00Z"


def finished(out: Path, analysis: str, result, parameters) -> Path:
    """The folder of a finished run of a site (params/site.yaml), as the runner leaves it."""
    name = f"site-{analysis}"
    folder = files.partial(out / name)
    stored.write_result(result, folder)
    status = {
        **{"run": name, "analysis": analysis, "notebook": "n.ipynb", "parameters": parameters},
        **{"outcome": "finished", "key": "k", "inputs": {"data": "d"}, "started": MADE},
        **{"versions": {"iesoresearch": "0.1.0"}, "seconds": 1.0},
    }
    files.finish(folder, out / name, status)
    return out / name


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Two bundles, the file of the keys that are trusted, and what was released."""
    root = tmp_path_factory.mktemp("sent")
    made = drawn.draw(Params(n_sites=2, n_referrals=1500, seed=5))
    (root / "trusted").mkdir()
    paths, results = [], []
    for i, data in enumerate(made.audited):
        name = f"site-{i + 1}"
        key = bundles.SigningKey.make(root / f"{name}.key", name)
        found = {COUNTS: drawn.counts_of(data), REGRESSION: site.of_site(data)}
        found = {run: release(result, Policy()) for run, result in found.items()}
        runs = [finished(root / name, run, result, {"seed": i}) for run, result in found.items()]
        written = bundles.make(
            runs, root / f"b{i}", site=name, policy=Policy(),
            sharing="anonymous" if i else "named", about=bundles.About(made=MADE),
        )  # fmt: skip
        looked = {one.rule: "A small site." for one in written.findings if one.status == "review"}
        bundles.sign(
            root / f"b{i}", key, name="Ada", role="output checker", when=MADE, accepted=looked
        )
        paths.append(str(root / f"b{i}"))
        results.append(found)
    keys = "\n".join((root / f"site-{i}.pub").read_text(encoding="utf-8").strip() for i in (1, 2))
    (root / "keys.txt").write_text(f"{keys}\n", encoding="utf-8")
    return paths, root / "keys.txt", results


def asked(sent) -> Params:
    return Params(source="bundles", bundles=sent[0], trusted=str(sent[1]), grouping="Gender")


def test_bundles_are_pooled_as_what_was_released(sent):
    params = asked(sent)
    loaded = study.load(params, Settings())
    assert loaded.sites.labels == ("site-1", "Site A")
    found = computed.Computed(params, loaded.sites, loaded.drawn)
    for (one, _), released in zip(loaded.sites, sent[2], strict=True):
        for run, result in released.items():
            for name, table in result.tables.items():
                assert one.results[run].tables[name].frame.equals(table.frame), name
    assert found.rates[computed.MAIN].k == 2
    having = [r for r in sent[2] if "coefficients" in r[REGRESSION].tables]
    assert len(found.regressions) == len(having) > 0
    assert study.summary(loaded).frame["count"].to_list() == [2, 0]
    check = study.checks(found)[0]
    assert (check.status, "not known" in check.sentence) == ("not applicable", True)


def test_a_bundle_that_was_changed_is_not_pooled(sent):
    path = next(Path(sent[0][0]).rglob("outcomes.csv"))
    before = path.read_bytes()
    path.write_bytes(before.replace(b"0", b"1", 1))
    try:
        with pytest.raises(DisclosureError, match="was changed"):
            study.load(asked(sent), Settings())
    finally:
        path.write_bytes(before)
