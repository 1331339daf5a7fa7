"""The page that a person reads before signing a bundle: what was found about every output."""

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from iesoresearch.disclosure.findings import Finding, summary, worst
from iesoresearch.results import SIMULATED, Result

_SIGNS = {"pass": "✓ pass", "review": "? look at it", "refuse": "✗ must not leave"}
_STYLE = """
:root{--ink:#1d2733;--soft:#586574;--line:#d8dee5;--bad:#8a2c02;--look:#7a5200;--good:#0b6b4b}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);max-width:66rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.2rem;border-top:1px solid
var(--line);padding-top:1rem}h3{font-size:1rem;margin-bottom:.3rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;
vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}
.mark{white-space:nowrap;font-weight:600}.pass{color:var(--good)}.review{color:var(--look)}
.refuse{color:var(--bad)}
.verdict{border-left:.4rem solid;padding:.6rem 1rem;background:#f6f8fa}
.soft{color:var(--soft);font-size:.9em}li{margin:.35rem 0}
.item{border:1px solid var(--line);border-radius:.4rem;
padding:.6rem 1rem;margin:.7rem 0}
details>summary{cursor:pointer;margin:.6rem 0}code{font-size:.88em;word-break:break-word}
.wide{overflow-x:auto}
"""
_LONG = 400  # letters
_SENTENCE = re.compile(r"(?<=[.:;?!]) +(?=[A-Z“])")
#: What outputs are most often sent back for by the checkers of OpenSAFELY (its documentation of
#: output checking): counts not rounded or not redacted, too little context, no underlying counts.
_QUESTIONS = (
    "Does every table say who is counted, where, and when? Would a stranger understand it?",
    "Is any group named that so few people belong to that somebody could be recognised?",
    "Is there any word, title or label that names a patient, a therapist or an address?",
    "Does a row of a table stand for a single person, as a point in a figure would?",
    "Together with what was released before: could somebody subtract one from the other?",
)


def page(
    site: str,
    found: Sequence[Finding],
    results: Mapping[str, Result],
    described: Mapping[str, Mapping[str, Any]],
    policy: Mapping[str, Any],
    earlier: Sequence[Mapping[str, str]],
) -> bytes:
    """HTML of the findings, by itself: no script, no other file, no other host.

    Parameters
    ----------
    site
        Whose bundle.
    found
        All findings.
    results, described
        Of every run: its result, and what the manifest says of it.
    policy
        Rules it was released under, by name.
    earlier
        Bundles it was compared with: ``name`` and ``made``.
    """
    verdict = worst(found)
    body = [
        f"<h1>Disclosure report of a bundle of site {_safe(site)}</h1>",
        f'<p class="verdict {verdict}">{_verdict(verdict, found)}</p>',
        _before_signing(verdict),
        _attention("refuse", "What must not leave", found, results),
        _attention("review", "What somebody has to look at", found, results),
        "<h2>Rules, and what it was compared with</h2>",
        _rules(policy),
        _compared(earlier),
        "<h2>Every output</h2>",
        *(_run(one, results, described) for one in summary(found)),
    ]
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Disclosure report: {_safe(site)}</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    return (head + "\n".join(part for part in body if part) + "\n</body></html>\n").encode()


def _verdict(verdict: str, found: Sequence[Finding]) -> str:
    n = sum(one.status == verdict for one in found)
    said = {
        "pass": "Nothing was found that speaks against it. Look at it all the same.",
        "review": f"{n} finding(s) need somebody's eyes. Who signs says of each kind why it may "
        "pass.",
        "refuse": f"The bundle was not written: {n} finding(s) say that something must not leave.",
    }
    return f"<strong>{_SIGNS[verdict]}.</strong> {said[verdict]}"


def _before_signing(verdict: str) -> str:
    if verdict == "refuse":
        return ""
    questions = "".join(f"<li>{_safe(question)}</li>" for question in _QUESTIONS)
    return (
        "<h2>Before you sign</h2>\n<p>You are asked to look at what no program can judge:</p>"
        f"<ul>{questions}</ul>"
    )


def _attention(status: str, heading: str, found, results) -> str:
    """Findings of one status by rule, rare ones first; what is said of many is said once."""
    counts = Counter(one.rule for one in found if one.status == status)
    rules: dict[str, dict[str, list[Finding]]] = {
        rule: {} for rule, _ in counts.most_common()[::-1]
    }
    for one in found:
        if one.status == status:
            rules[one.rule].setdefault(one.sentence, []).append(one)
    parts = []
    if rules:
        parts.append(f"<h2>{heading}</h2><p>Of long texts the sentences with numbers are here; the "
                     "whole is under “Every output”.</p>")  # fmt: skip
    if len(rules) > 1:
        kinds = ", ".join(f'<a href="#{status}-{i}">{_safe(rule)}</a>&nbsp;({counts[rule]})'
                          for i, rule in enumerate(rules))  # fmt: skip
        parts.append(f"<p>By kind, the rare ones first: {kinds}.</p>")
    for i, (rule, sentences) in enumerate(rules.items()):
        title = f"{_safe(rule)} ({counts[rule]})"
        parts.append(f'<div class="item" id="{status}-{i}"><h3 class="{status}">{title}</h3>')
        for sentence, some in sentences.items():
            items = "".join(f"<li>{_one(one, results)}</li>" for one in some)
            parts.append(f"<p>{_safe(sentence)}</p><ul>{items}</ul>")
        parts.append("</div>")
    return "\n".join(parts)


def _one(one: Finding, results: Mapping[str, Result]) -> str:
    where = f"{one.run}, {one.output}" if one.run else one.output
    context = _with_digits(_context(one, results))
    return f"<strong>{_safe(where)}</strong>{context and f': {_safe(context)}'}{_evidence(one)}"


def _with_digits(text: str) -> str:
    """Of a long text the sentences that hold numbers: the whole stands below, at its output."""
    if len(text) <= _LONG:
        return text
    kept, left = [], False
    for sentence in _SENTENCE.split(text):
        told = any(c.isdigit() for c in sentence)
        kept += [sentence] if told else [] if left else ["…"]
        left = not told
    return " ".join(kept)


def _evidence(one: Finding) -> str:
    said = "; ".join(f"{name}: {_words(value)}" for name, value in one.evidence.items() if value)
    return f'<br><span class="soft">{_safe(said)}</span>' if said else ""


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return str(value)


def _rules(policy: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{_safe(name)}</td><td>{_safe(value)}</td></tr>" for name, value in policy.items()
    )
    return f'<div class="wide"><table><tr><th>Rule</th><th>Value</th></tr>{rows}</table></div>'


def _compared(earlier: Sequence[Mapping[str, str]]) -> str:
    if not earlier:
        return "<p>No earlier bundle of this site is known, so it was compared with none.</p>"
    names = "".join(f"<li>{_safe(one['name'])}, made {_safe(one['made'])}</li>" for one in earlier)
    return f"<p>Compared with these earlier bundles:</p><ul>{names}</ul>"


def _run(one: Mapping[str, Any], results, described) -> str:
    run = one["run"]
    said = described.get(run, {})
    counts = ", ".join(f"{n} {status}" for status, n in one["counts"].items() if n)
    lines = [f"<h3>{_safe(said.get('title', run or 'The bundle'))} <code>{_safe(run)}</code></h3>"]
    if run in results:
        if said["sensitivity"] == "synthetic":
            lines.append(f'<p class="review">{_safe(SIMULATED)}</p>')
        lines.append(
            f'<p class="soft">Data: {_safe(said["data"]["name"])} ({_safe(said["sensitivity"])}). '
            f"Run of {_safe(said['started'])}.</p>"
        )
    rows = "".join(_output(run, output, results) for output in one["outputs"])
    table = (
        "<table><tr><th>Output</th><th>What it is</th><th>Status</th><th>Why</th></tr>"
        f"{rows}</table>"
    )
    lines.append(f'<details><summary>{counts}</summary><div class="wide">{table}</div></details>')
    return "\n".join(lines)


def _output(run: str, output: Mapping[str, Any], results) -> str:
    found = [Finding.from_json(one) for one in output["findings"]]
    why = "<br>".join(
        f"<strong>{_safe(one.rule)}.</strong> {_safe(one.sentence)}{_evidence(one)}"
        for one in found
    )
    status = output["status"]
    return (
        f"<tr><td>{_safe(output['output'])}</td><td>{_safe(_context(found[0], results))}</td>"
        f'<td class="mark {status}">{_SIGNS[status]}</td><td>{why}</td></tr>'
    )


def _context(one: Finding, results: Mapping[str, Result]) -> str:
    """What an output is, in the words of its result; of words, the words themselves."""
    result = results.get(one.run)
    kind, _, name = one.output.partition(":")
    if result is None:
        return ""
    known = {
        "table": {k: table.title for k, table in result.tables.items()},
        "figure": {k: spec.title for k, spec in result.figures.items()},
        "number": {k: f"the number {number}" for k, number in result.numbers.items()},
        "text": {k: result.render(words) for k, words in result.text.items()},
        "check": {check.name: result.render(check.sentence) for check in result.checks},
        "caption": {k: result.render(spec.caption) for k, spec in result.figures.items()},
        "absent": result.not_applicable,
    }
    return known.get(kind, {}).get(name, "")


def _safe(text: object) -> str:
    return html.escape(str(text))
