"""What a cohort is checked and judged by, written in pandas: nothing of our engine is used.

Vectorised throughout. Of ours only the rule book of the columns and the list of problems are read.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from iesoresearch.data.schema import TABLES as SCHEMAS
from iesoresearch.measures.problems import PROBLEMS

SCALES = {name: problem.anxiety_scale for name, problem in PROBLEMS.items()}


def read(folder: Path, table: str, columns: list[str] | None = None):
    return pd.read_parquet(
        folder / f"{table}.parquet", columns=columns, to_pandas_kwargs={"date_as_object": False}
    )


def problems(folder: Path) -> int:
    """Number of kinds of fault: of values and keys, or if there is none of these, of links."""
    frames = {t: read(folder, t) for t in SCHEMAS}
    counts = [n for t, frame in frames.items() for n in beyond(frame, SCHEMAS[t])]
    return sum(n > 0 for n in counts) or sum(n > 0 for n in strangers(frames))


def beyond(frame, schema) -> list[int]:
    """Values outside bounds and code lists, missing ones, and shared keys."""
    counts = []
    for name, column in schema.columns().items():
        values = frame[name]
        if not column.nullable:
            counts.append(values.isna().sum())
        if getattr(column, "min", None) is not None:
            counts.append((values < column.min).sum())
        if getattr(column, "max", None) is not None:
            counts.append((values > column.max).sum())
        if hasattr(column, "categories"):
            counts.append((~values.isin(list(column.categories)) & values.notna()).sum())
    return [*counts, frame.duplicated(schema.primary_key(), keep=False).sum()]


def strangers(frames) -> list[int]:
    """Rows that belong to nothing, or to somebody else."""
    contacts, referrals = frames["contacts"], frames["referrals"]
    both = ["referral_id", "session"]
    content = frames["content"][both].merge(contacts[both], on=both, how="left", indicator=True)
    owners = contacts[["referral_id", "patient_id"]].merge(
        referrals[["referral_id", "patient_id"]], on="referral_id"
    )
    return [
        (~referrals["patient_id"].isin(frames["patients"]["patient_id"])).sum(),
        (~contacts["referral_id"].isin(referrals["referral_id"])).sum(),
        (~frames["scores"]["referral_id"].isin(referrals["referral_id"])).sum(),
        (content["_merge"] == "left_only").sum(),
        (owners["patient_id_x"] != owners["patient_id_y"]).sum(),
    ]


# items, their highest answer, how many may be missing
QUESTIONNAIRES = {"phq9": (9, 3, 2), "gad7": (7, 3, 0), "wsas": (5, 8, 1)}


def outcomes(folder: Path) -> dict:
    """Tables by name: outcomes of referrals and courses of therapy, rates of both."""
    referrals, rows, extra = appointments(folder)
    judged = judge(per_referral(referrals, rows, extra))
    courses = judge(per_therapy(referrals, rows, extra))
    by_therapy = [
        rates(group).assign(therapy=therapy)
        for therapy, group in courses.groupby("therapy", observed=True)
    ]
    return {
        "referrals": judged,
        "therapies": courses,
        "rates": rates(judged),
        "therapy_rates": pd.concat(by_therapy),
    }


def appointments(folder: Path):
    """Referrals; their appointments in order; scores of their own disorder measure."""
    items = [f"{q}_{i}" for q, (n, _, _) in QUESTIONNAIRES.items() for i in range(1, n + 1)]
    items += [f"{q}_total" for q in QUESTIONNAIRES]
    keys = ["referral_id", "session", "date", "attendance", "purpose", "therapy"]
    days = ["referral_date", "discharge_date"]
    referrals = read(folder, "referrals", ["referral_id", "patient_id", *days, "problem"])
    contacts = read(folder, "contacts", keys + items)
    assert contacts["date"].notna().all()  # an appointment without a day would need its number
    referrals["scale"] = referrals["problem"].map(SCALES).astype(object).fillna("gad7")
    number = pd.Index(referrals["referral_id"])
    rows = contacts[["session", "therapy"]].assign(
        ref=number.get_indexer(contacts["referral_id"]),
        day=contacts["date"],
        attended=contacts["attendance"].isna() | (contacts["attendance"] == "attended"),
        **{code: total(contacts, code) for code in QUESTIONNAIRES},
    )
    purpose = contacts["purpose"]
    rows["treatment"] = rows["attended"] & (purpose.isna() | (purpose == "treatment"))
    rows = inside(rows[~(purpose == "follow-up")], referrals)
    rows = rows.sort_values(["ref", "day", "session"], ignore_index=True)
    return referrals, rows, own_scores(read(folder, "scores"), number, referrals, rows)


def total(contacts, code: str):
    n, highest, may_miss = QUESTIONNAIRES[code]
    items = contacts[[f"{code}_{i}" for i in range(1, n + 1)]]
    any_answer = items.notna().any(axis=1)
    if code == "wsas":  # 9: no work, so no answer
        items = items.assign(wsas_1=items["wsas_1"].where(items["wsas_1"] != 9))
    answered = items.count(axis=1)
    outside = ((items < 0) | (items > highest)).any(axis=1)
    sums = items.sum(axis=1) * n / answered.where((answered >= n - may_miss) & ~outside)
    return sums.where(any_answer, contacts[f"{code}_total"])


def inside(rows, referrals):
    """Rows not before the referral or after the discharge."""
    rows = rows[rows["ref"] >= 0]
    begins = referrals["referral_date"].to_numpy()[rows["ref"]]
    ends = referrals["discharge_date"].to_numpy()[rows["ref"]]
    return rows[~((rows["day"] < begins) | (rows["day"] > ends))]


def own_scores(scores, number, referrals, rows):
    """One row per referral and day, with the therapy given on it."""
    scores = scores.assign(ref=number.get_indexer(scores["referral_id"]), day=scores["date"])
    scores = inside(scores[scores["item"] == 0], referrals)
    own = referrals["scale"].to_numpy()[scores["ref"]]
    scores = scores[(scores["instrument"] == own) & (own != "gad7")]
    days = scores.groupby(["ref", "day"], as_index=False)["value"].first()
    of_day = rows.loc[rows["treatment"], ["ref", "day", "therapy"]]
    of_day = of_day.drop_duplicates(["ref", "day"])
    days = days.merge(of_day, on=["ref", "day"], how="left")
    return days.rename(columns={"value": "specific"})


def per_referral(referrals, rows, extra):
    table = referrals.drop(columns="problem")
    attended, treated = rows[rows["attended"]], rows[rows["treatment"]]
    order = treated.groupby("ref").cumcount()
    table["n_attended"] = attended.groupby("ref").size()
    table["n_treatment"] = treated.groupby("ref").size()
    table[["n_attended", "n_treatment"]] = table[["n_attended", "n_treatment"]].fillna(0)
    table["first_contact"] = attended.groupby("ref")["day"].first()
    table["first_treatment"] = treated[order == 0].set_index("ref")["day"]
    table["second_treatment"] = treated[order == 1].set_index("ref")["day"]
    table["last_treatment"] = treated.groupby("ref")["day"].last()
    table["wait_days"] = (table["first_treatment"] - table["referral_date"]).dt.days
    table["second_wait_days"] = (table["second_treatment"] - table["first_treatment"]).dt.days
    table["finished"] = table["discharge_date"].notna() & (table["n_treatment"] >= 2)
    return table.join(first_and_last(rows, extra, ["ref"]))


def per_therapy(referrals, rows, extra):
    treated = rows[rows["treatment"] & rows["therapy"].notna()]
    keys = ["ref", "therapy"]
    table = first_and_last(treated, extra, keys)
    table["n"] = treated.groupby(keys, observed=True).size()
    table = table[table["n"] >= 2].reset_index()
    table = table.join(referrals[["referral_id", "discharge_date", "scale"]], on="ref")
    return table.assign(finished=table["discharge_date"].notna())


def first_and_last(rows, extra, keys: list[str]):
    parts = []
    for frame, codes in ((rows, list(QUESTIONNAIRES)), (extra, ["specific"])):
        groups = frame.groupby(keys, observed=True)[codes]
        first, last = groups.first(), groups.last().where(groups.count() >= 2)
        parts += [first.add_suffix("_first"), last.add_suffix("_last")]
    return pd.concat(parts[:2], axis=1).join(parts[2:])


def judge(table):
    """Flags as three-valued logic, in pandas' own `boolean`."""
    core = table["scale"] == "gad7"
    for end in ("first", "last"):
        table[f"anxiety_{end}"] = table[f"gad7_{end}"].where(core, table[f"specific_{end}"])
    # only PHQ-9 and GAD-7 have a rule
    known = core.where(core, pd.NA).astype("Float64")  # 1 or missing
    at, fell, rose = {}, {}, {}
    for m, case, change in (("phq9", 10, 6), ("anxiety", 8 * known, 4 * known)):
        first, last = (table[f"{m}_{end}"].astype("Float64") for end in ("first", "last"))
        at[m] = first >= case, last >= case
        fell[m], rose[m] = first - last >= change, first - last <= -change
    caseness = at["phq9"][0] | at["anxiety"][0]
    recovery = caseness & ~at["phq9"][1] & ~at["anxiety"][1]
    improved = (fell["phq9"] & ~rose["anxiety"]) | (fell["anxiety"] & ~rose["phq9"])
    worse = (rose["phq9"] & ~fell["anxiety"]) | (rose["anxiety"] & ~fell["phq9"])
    flags = {
        "caseness": caseness,
        "recovery": recovery,
        "reliable_improvement": improved,
        "reliable_deterioration": worse,
        "no_reliable_change": ~improved & ~worse,
        "reliable_recovery": recovery & improved,
    }
    flags = pd.DataFrame(flags).where(table["finished"])
    no_first = table["phq9_first"].isna() | table["anxiety_first"].isna()
    why = [~table["finished"], flags.notna().all(axis=1), ~core, no_first]
    names = ["not finished", None, "threshold not sourced", "no first score"]
    return table.rename(columns={"scale": "anxiety_scale"}).assign(
        **flags,
        reason=np.select(why, names, "no last score"),
        basis=np.where(core, "official", None),
    )


def rates(table):
    finished = table["finished"]
    judged = finished & (table["reason"] != "threshold not sourced")
    opened = judged & (table["caseness"].fillna(True))
    flags = {
        "at caseness": ("caseness", judged),
        "recovery": ("recovery", opened),
        "reliable recovery": ("reliable_recovery", opened),
        "reliable improvement": ("reliable_improvement", judged),
        "reliable deterioration": ("reliable_deterioration", judged),
        "no reliable change": ("no_reliable_change", judged),
    }
    counts = {m: (table[f].fillna(False), whole) for m, (f, whole) in flags.items()}
    counts["paired"] = table["phq9_last"].notna() & table["anxiety_last"].notna(), finished
    if "wait_days" in table:
        counts["wait <= 6 weeks"] = table["wait_days"] <= 42, finished
        counts["wait <= 18 weeks"] = table["wait_days"] <= 126, finished
        counts["second wait > 90 days"] = table["second_wait_days"] > 90, finished
    rows = [(m, (true & whole).sum(), whole.sum()) for m, (true, whole) in counts.items()]
    result = pd.DataFrame(rows, columns=["measure", "numerator", "denominator"])
    n, z = result["denominator"].where(result["denominator"] > 0), 1.959963984540054
    rate = result["numerator"] / n
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (rate * (1 - rate) / n + z**2 / (4 * n**2)) ** 0.5
    left_out = (finished & ~judged).sum() * result["measure"].isin(list(flags))
    return result.assign(
        rate=rate, low=(middle - half).clip(lower=0), high=middle + half, not_judged=left_out
    )
