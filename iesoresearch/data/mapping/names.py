"""What partners call their columns, and which column of the canonical tables that is."""

import difflib
import re
from dataclasses import dataclass

from iesoresearch.data.schema import TABLES
from iesoresearch.measures import INSTRUMENTS

#: Other names of a column, as `plain` writes them; its own name always counts.
SYNONYMS = {
    "patient_id": "pid patient patientid patient_no patient_number patient_key person_id personid "
    "person nhs_pseudonym pseudonym pseudo_id pseudo_nhs pseudonymised_nhs_number case_id "
    "subject_id subject participant_id id",
    "referral_id": "ref_id refid referralid referral ref_no ref_number referral_no "
    "referral_number episode_id episode pathway_id pathwayid service_request_id "
    "unique_servicerequestid spell_id course_id",
    "session": "session_no session_number session_nr sessionno session_num appt_no appt_num "
    "appointment_no appointment_number contact_no contact_number visit visit_no visit_number "
    "sess_no sess",
    "date": "appt_date appointment_date contact_date session_date visit_date carecontdate "
    "care_contact_date date_of_contact date_of_session date_of_appointment attendance_date",
    "referral_date": "ref_date date_of_referral referral_received referral_received_date "
    "referralrequestreceiveddate received_date date_referred referred_on",
    "discharge_date": "date_of_discharge discharged_on servdischdate disch_date end_date "
    "closure_date case_closed",
    "age": "age_years age_at_first_referral",
    "age_at_referral": "age_referral referral_age age_referralrequest_receiveddate",
    "gender": "sex gender_code sex_code",
    "ethnicity": "ethnic ethnic_category ethnic_group ethnicity_code ethniccategory "
    "validated_ethniccategory ethnic_code eth",
    "deprivation_decile": "imd imd_decile imddecile indicesofdeprivationdecile deprivation "
    "decile imd_dec",
    "orientation": "sexual_orientation sexuality sexualorientation",
    "long_term_condition": "ltc long_term_health_condition has_ltc longterm_condition",
    "disability": "disabled has_disability disability_flag",
    "service_id": "service provider provider_code org_code orgidprov site site_code team",
    "source": "referral_source source_of_referral sourceofreferraliapt sourceofreferralmh",
    "problem": "problem_descriptor presenting_complaint diagnosis presenting_problem "
    "provisional_diagnosis primary_problem",
    "end_reason": "discharge_reason end_code endcode reason_for_discharge reason_discharge",
    "employment_first": "employment employment_status employment_start employmentstatus_first",
    "employment_last": "employment_end employmentstatus_last",
    "medication_first": "medication psychotropic medication_start psychotropicindicator_first",
    "medication_last": "medication_end psychotropicindicator_last",
    "attendance": "attended attendance_code attendordnacode dna attend attendance_status "
    "attended_or_dna",
    "purpose": "appt_type appointment_type apptype session_type contact_type",
    "mechanism": "consultation_medium consmechanism medium mode channel consultation_mechanism "
    "delivery",
    "therapy": "therapy_type treatment intervention modality codeprocandprocstatus",
    "therapist_id": "therapist clinician clinician_id therapist_code staff_id practitioner "
    "practitioner_id",
    "duration": "duration_min duration_mins minutes length length_min clincontdurofcarecont",
    "instrument": "scale measure questionnaire",
    "value": "answer result",
}
#: Own names that mean something else at most partners (a body weight), so nobody is taken at them.
_AMBIGUOUS = ("weight", "stratum", "sampling_unit", "words")
_WSAS = ("work", "home", "social", "private", "relationships")
_CODES = {
    "phq9": "phq9", "phq_9": "phq9", "phq": "phq9", "gad7": "gad7", "gad_7": "gad7", "gad": "gad7",
    "wsas": "wsas", "wasas": "wsas",
}  # fmt: skip
_MARK = r"(?:session|sess|s|visit|v|time|t|appointment|appt|contact|c|week|wk|w)"
_SESSION_FIRST = re.compile(rf"{_MARK}_?(\d+)_(.+)")
_SESSION_LAST = re.compile(rf"(.+?)_{_MARK}_?(\d+)")
_ITEM = re.compile(
    r"(phq_?9|phq|gad_?7|gad|wa?sas)_?(?:q|item|i|question)?_?(?:(\d+)|(total|score|sum|tot))?"
)
_NUMBERED = re.compile(r"(.*(?:date|attendance|attended|total|score))_?(\d+)")
_WSAS_WORD = re.compile(rf"wa?sas_({'|'.join(_WSAS)}).*")


#: How a name says its session: the group of the number, the group of the rest.
_SESSIONS = ((_SESSION_FIRST, 1, 2), (_SESSION_LAST, 2, 1), (_NUMBERED, 2, 1))


@dataclass(frozen=True)
class Match:
    """What a column of a partner is: a canonical column, in one session if the file is wide.

    `pattern` is the partner's name with the numbers of item and session taken out.
    """

    column: str
    session: int | None
    target: str
    pattern: str


def plain(name: str) -> str:
    """A name in small letters, words joined by an underscore."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip()) if not name.isupper() else name
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _lookup() -> dict[str, str]:
    known = {}
    for schema in TABLES.values():
        known |= {name: name for name in schema.column_names() if name not in _AMBIGUOUS}
    for column, others in SYNONYMS.items():
        known |= dict.fromkeys(others.split(), column)
    return known | {name.replace("_", ""): column for name, column in known.items()}


_KNOWN = _lookup()


def match_all(names: tuple[str, ...]) -> dict[str, Match]:
    """The columns of a file that are recognised without doubt, by the partner's name."""
    found = {name: match for name in names if (match := match_one(name))}
    return _last_items(found) | _bare_questions(names, found)


def match_one(name: str) -> Match | None:
    """What a single name says, without its neighbours."""
    word, session = plain(name), None
    for pattern, number, inner in _SESSIONS:
        hit = pattern.fullmatch(word)
        if word not in _KNOWN and hit and _canonical(hit[inner]):
            session, word = int(hit[number]), hit[inner]
            break
    column = _canonical(word)
    if column is None:
        return None
    return Match(column, session, *_patterns(name, column, session))


def _canonical(word: str) -> str | None:
    known = _KNOWN.get(word) or _KNOWN.get(word.replace("_", ""))
    if known:
        return known
    if hit := _WSAS_WORD.fullmatch(word):
        return f"wsas_{_WSAS.index(hit[1]) + 1}"
    hit = _ITEM.fullmatch(word)
    if hit is None:
        return None
    code = _CODES[hit[1]]
    if hit[2] is None:
        return f"{code}_total"
    item = int(hit[2])
    return f"{code}_{item}" if 1 <= item <= len(INSTRUMENTS[code].items) else None


def _patterns(name: str, column: str, session: int | None) -> tuple[str, str]:
    """`column` and `name` with "{item}" and "{session}" where the numbers stand."""
    target, pattern, numbers = column, name, list(re.finditer(r"\d+", name))
    code, _, item = column.rpartition("_")
    marks = {}
    if session is not None:
        first = _SESSION_FIRST.fullmatch(plain(name)) is not None
        marks[0 if first else len(numbers) - 1] = "{session}"
    if code in INSTRUMENTS and item.isdigit():
        free = [i for i, n in enumerate(numbers) if i not in marks and int(n[0]) == int(item)]
        if free:
            marks[free[-1]], target = "{item}", f"{code}_{{item}}"
    for i in sorted(marks, reverse=True):
        pattern = pattern[: numbers[i].start()] + marks[i] + pattern[numbers[i].end() :]
    return target, pattern


def _last_items(found: dict[str, Match]) -> dict[str, Match]:
    """``phq1`` … ``phq8`` beside ``phq9``: the last is an item, not the total."""
    mended = dict(found)
    for name, match in found.items():
        code = match.column.removesuffix("_total")
        if match.column == code or plain(name).endswith(("total", "score", "sum", "tot")):
            continue
        last = len(INSTRUMENTS[code].items) if code in INSTRUMENTS else 0
        own = {m.column for m in found.values() if m.session == match.session}
        items = {f"{code}_{i}" for i in range(1, last)}
        if last and items <= own and f"{code}_{last}" not in own:
            column = f"{code}_{last}"
            mended[name] = Match(column, match.session, *_patterns(name, column, match.session))
    return mended


def _bare_questions(names: tuple[str, ...], found: dict[str, Match]) -> dict[str, Match]:
    """``q1`` … ``q9`` are the PHQ-9 and ``q1`` … ``q7`` the GAD-7, if nothing else is."""
    bare = {name: int(hit[1]) for name in names if (hit := re.fullmatch(r"q_?(\d+)", plain(name)))}
    have = {match.column for match in found.values()}
    for code in ("phq9", "gad7"):
        columns = INSTRUMENTS[code].columns
        if sorted(bare.values()) == list(range(1, len(columns) + 1)) and not have & set(columns):
            return {
                name: Match(f"{code}_{i}", None, f"{code}_{{item}}", re.sub(r"\d+", "{item}", name))
                for name, i in bare.items()
            }
    return {}


def near(name: str) -> list[str]:
    """Canonical columns that a name may stand for, the most likely first."""
    close = difflib.get_close_matches(plain(name), _KNOWN, n=5, cutoff=0.75)
    return list(dict.fromkeys(_KNOWN[word] for word in close))
