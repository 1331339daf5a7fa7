"""Code lists of the canonical tables, with the codes of the NHS Talking Therapies data set.

Source: variable metadata of the annual report 2024-25 (NHS England, OGL v3) and the public table
definitions of the data set, version 2.1.
"""

import polars as pl


def normalised(code: pl.Expr, width: int = 1) -> pl.Expr:
    """Codes as the lists below write them: '1', ' 1', '01', '1.0' are one code of `width` digits.

    Capitals and spaces around a code do not count either.
    """
    text = code.str.strip_chars().str.to_uppercase().str.replace(r"^(\d+)\.0+$", "${1}")
    digits = text.str.strip_chars_start("0").str.zfill(width)
    return pl.when(text.str.contains(r"^\d+$")).then(digits).otherwise(text)


GENDERS = ("female", "male", "other", "not known")
#: NHS code -> our word.
GENDER_CODES = {"2": "female", "1": "male", "9": "other", "X": "not known"}

#: Ethnic category, 16 + 1 groups as of the 2001 census -> (group, label).
ETHNICITIES = {
    "A": ("White", "British"),
    "B": ("White", "Irish"),
    "C": ("White", "any other White background"),
    "D": ("Mixed", "White and Black Caribbean"),
    "E": ("Mixed", "White and Black African"),
    "F": ("Mixed", "White and Asian"),
    "G": ("Mixed", "any other mixed background"),
    "H": ("Asian or Asian British", "Indian"),
    "J": ("Asian or Asian British", "Pakistani"),
    "K": ("Asian or Asian British", "Bangladeshi"),
    "L": ("Asian or Asian British", "any other Asian background"),
    "M": ("Black or Black British", "Caribbean"),
    "N": ("Black or Black British", "African"),
    "P": ("Black or Black British", "any other Black background"),
    "R": ("Other", "Chinese"),
    "S": ("Other", "any other ethnic group"),
    "Z": ("Not known", "not stated or not known"),
}
#: "BME" in the annual report: all but White British and not known, so Irish and other White too.
MINORITY_ETHNICITIES = tuple(code for code in ETHNICITIES if code not in ("A", "Z"))

ORIENTATIONS = ("heterosexual", "gay or lesbian", "bisexual", "other", "not known")
#: The annual report knows the first four; the rest as in the dashboard scripts of NHS England.
ORIENTATION_CODES = {
    "20430005": "heterosexual",
    "76102007": "gay or lesbian",
    "89217008": "gay or lesbian",
    "42035005": "bisexual",
    "38628009": "gay or lesbian",
    "765288000": "other",
    "766822004": "other",
    "1064711000000100": "not known",
    "699042003": "not known",
    "440583007": "not known",
}

YES_NO = ("yes", "no", "not stated")

EMPLOYMENT_CODES = {
    "01": "employed",
    "02": "unemployed and seeking work",
    "03": "student, not working",
    "04": "long-term sick or disabled",
    "05": "homemaker",
    "06": "not seeking work, no benefits",
    "07": "voluntary work",
    "08": "retired",
    "ZZ": "not stated",
}
EMPLOYMENT = tuple(EMPLOYMENT_CODES.values())

MEDICATION_CODES = {
    "01": "prescribed, not taking",
    "02": "prescribed and taking",
    "03": "not prescribed",
}
MEDICATION = (*MEDICATION_CODES.values(), "not stated")

#: Codes 5 and 6 are attended, 3 did not attend; what the other codes mean was not retrieved.
ATTENDANCE_CODES = {"5": "attended", "6": "attended", "3": "did not attend"}
ATTENDANCE = ("attended", "did not attend", "other")

#: ``AppType``: 02, 03 and 05 hold treatment, 06 is follow-up; 01 holds assessment only.
PURPOSE_CODES = {
    "01": "assessment",
    "02": "treatment",
    "03": "treatment",
    "05": "treatment",
    "06": "follow-up",
}
PURPOSES = ("assessment", "treatment", "follow-up", "employment support", "other")

MECHANISM_CODES = {
    "01": "face to face",
    "02": "telephone",
    "03": "video",
    "04": "other",
    "05": "email",
    "06": "text message",
    "08": "typed, live",
    "09": "text message",
    "10": "typed, live",
    "11": "video",
    "12": "other",
    "13": "other",
    "98": "other",
}
MECHANISMS = (
    "face to face",
    "telephone",
    "video",
    "typed, live",
    "text message",
    "email",
    "other",
    "not known",
)

STEPS = ("low intensity", "high intensity")
#: Therapy type, SNOMED code -> (step, name).
THERAPIES = {
    "748051000000105": ("low intensity", "guided self-help (book)"),
    "748101000000105": ("low intensity", "non-guided self-help (book)"),
    "748041000000107": ("low intensity", "guided self-help (computer)"),
    "748091000000102": ("low intensity", "non-guided self-help (computer)"),
    "748061000000108": ("low intensity", "structured physical activity"),
    "702545008": ("low intensity", "psychoeducational peer support"),
    "1026111000000108": ("low intensity", "other low intensity"),
    "975131000000104": ("low intensity", "signposting"),
    "1127281000000100": ("high intensity", "applied relaxation"),
    "1129471000000105": ("high intensity", "couples therapy for depression"),
    "842901000000108": ("high intensity", "collaborative care"),
    "286711000000107": ("high intensity", "counselling for depression"),
    "314034001": ("high intensity", "brief psychodynamic psychotherapy"),
    "449030000": ("high intensity", "eye movement desensitisation reprocessing"),
    "933221000000107": ("high intensity", "mindfulness"),
    "1026131000000100": ("high intensity", "other high intensity"),
    "304891004": ("high intensity", "cognitive behaviour therapy"),
    "443730003": ("high intensity", "interpersonal psychotherapy"),
}
THERAPY_NAMES = tuple(name for _, name in THERAPIES.values())
STEP_OF_THERAPY = {name: step for step, name in THERAPIES.values()}

EMPLOYMENT_SUPPORT = "1098051000000103"  # SNOMED: such a contact is no treatment

#: How a referral ended. 40-45, 97 and 98 are codes of earlier versions, without a label here.
END_CODES = {
    "10": "not treated: unsuitable",
    "11": "not treated: signposted elsewhere",
    "12": "not treated: advice only",
    "13": "not treated: referred on",
    "14": "not treated: declined",
    "16": "not treated: assessment incomplete",
    "17": "not treated: died",
    "46": "treated: completed",
    "47": "treated: ended early by the professional",
    "48": "treated: ended early by the patient",
    "49": "treated: died",
    "50": "not assessed",
    "95": "not treated: not known",
    "96": "treated: not known",
}
END_REASONS = (*END_CODES.values(), "other")

#: Source of referral: first character, or a whole code where it differs -> our word.
REFERRAL_SOURCE_CODES = {
    "A": "primary care",
    "B1": "self",
    "B": "carer",
    "C": "local authority",
    "D": "employer",
    "E": "justice",
    "F": "child services",
    "G": "voluntary sector",
    "H": "acute care",
    "I": "other mental health",
    "M": "other",
    "N": "another step of talking therapies",
    "P": "internal",
    "Q": "drop-in",
}
REFERRAL_SOURCES = tuple(dict.fromkeys(REFERRAL_SOURCE_CODES.values()))

#: Published label of a decile -> ours. The annual report counts from the least deprived, the data
#: set and we from the most deprived.
PUBLISHED_DECILES = {
    "01 Least deprived": 10,
    "02 Less deprived": 9,
    "03 Less deprived": 8,
    "04 Less deprived": 7,
    "05 Less deprived": 6,
    "06 More deprived": 5,
    "07 More deprived": 4,
    "08 More deprived": 3,
    "09 More deprived": 2,
    "10 Most deprived": 1,
}

#: Age bands of the annual report, both ends included. It bands the age at the end of the reporting
#: period; other official tables band the age at referral.
AGE_BANDS = {
    "<18": (0, 17),
    "18-25": (18, 25),
    "26-64": (26, 64),
    "65-74": (65, 74),
    "75-89": (75, 89),
    "90+": (90, 120),
}


def age_band(age: pl.Expr) -> pl.Expr:
    """Band of an age in years; null where there is none."""
    band = pl.lit(None, pl.String)
    for name, (low, high) in AGE_BANDS.items():
        band = pl.when(age.is_between(low, high)).then(pl.lit(name)).otherwise(band)
    return band
