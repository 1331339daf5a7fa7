"""The canonical tables: type, bounds, code list and meaning of every column in one place."""

import dataframely as dy

from iesoresearch.data import codes
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.instruments import Instrument
from iesoresearch.measures.problems import PROBLEMS


def _text(description: str, **options) -> dy.String:
    return dy.String(metadata={"description": description}, **options)


def _choice(values, description: str, **options) -> dy.Enum:
    options = {"nullable": True} | options
    return dy.Enum(list(values), metadata={"description": description}, **options)


def _date(description: str) -> dy.Date:
    return dy.Date(nullable=True, metadata={"description": description})


def _number(description: str, **options) -> dy.Float64:
    return dy.Float64(nullable=True, metadata={"description": description}, **options)


def _age(description: str) -> dy.UInt8:
    return dy.UInt8(nullable=True, max=120, metadata={"description": description})


class Patients(dy.Schema):
    """One row per person."""

    patient_id = _text("Pseudonym of the person.", primary_key=True)
    age = _age("Age at the first referral, or at the interview of a survey, years.")
    gender = _choice(codes.GENDERS, "Gender (NHANES: sex as recorded).")
    ethnicity = _choice(
        codes.ETHNICITIES, "Ethnic category, NHS code list of 16 + 1 (A British … S other, Z)."
    )
    ethnicity_as_recorded = _text("Ethnic category in a survey's own words.", nullable=True)
    deprivation_decile = dy.UInt8(
        nullable=True,
        min=1,
        max=10,
        metadata={"description": "Index of Multiple Deprivation decile, 1 = most deprived."},
    )
    orientation = _choice(codes.ORIENTATIONS, "Sexual orientation.")
    long_term_condition = _choice(codes.YES_NO, "Long-term physical health condition.")
    disability = _choice(codes.YES_NO, "Any disability.")
    weight = _number("Survey weight; empty where nobody is weighted.", min=0)
    stratum = _text("Survey stratum.", nullable=True)
    sampling_unit = _text("Primary sampling unit within the stratum.", nullable=True)


class Referrals(dy.Schema):
    """One row per referral; an interview of a survey counts as one."""

    referral_id = _text("Pseudonym of the referral or interview.", primary_key=True)
    patient_id = _text("The person referred.")
    referral_date = _date("Referral received.")
    discharge_date = _date("End of care; empty = still open.")
    service_id = _text("Service that received the referral.", nullable=True)
    source = _choice(codes.REFERRAL_SOURCES, "Who referred.")
    problem = _choice(PROBLEMS, "Problem descriptor.")
    end_reason = _choice(codes.END_REASONS, "How the referral ended.")
    age_at_referral = _age("Age when the referral was received, years.")
    age_at_period_end = _age("Age at the end of the reporting period, years.")
    employment_first = _choice(codes.EMPLOYMENT, "Employment at the start of treatment.")
    employment_last = _choice(codes.EMPLOYMENT, "Employment at the end of treatment.")
    medication_first = _choice(codes.MEDICATION, "Psychotropic medication at the start.")
    medication_last = _choice(codes.MEDICATION, "Psychotropic medication at the end.")
    referral_year = _text(
        "Financial year of the referral, such as 2023-24, where dates are shifted.", nullable=True
    )
    discharge_year = _text(
        "Financial year of the discharge, such as 2023-24, where dates are shifted.", nullable=True
    )
    rules_version = _text(
        "Day since which the outcome rules of the referral have held, where dates are shifted.",
        nullable=True,
    )


def _items(instrument: Instrument) -> dict[str, dy.Int8]:
    """Item columns; a code for "not applicable" is within the bounds of its column."""
    return {
        column: dy.Int8(
            nullable=True,
            min=item.low,
            max=item.high if item.not_applicable is None else item.not_applicable,
            metadata={"description": f"{instrument.name}, {item.name}; empty = missing."},
        )
        for column, item in zip(instrument.columns, instrument.items, strict=True)
    }


def _total(instrument: Instrument) -> dy.Float64:
    return _number(
        f"{instrument.name} total, where the site holds totals only.", min=0, max=instrument.highest
    )


def _session(description: str = "Number of the appointment within the referral, from 1."):
    return dy.UInt16(primary_key=True, min=1, max=1000, metadata={"description": description})


class _ContactKeys(dy.Schema):
    referral_id = _text("The referral the session belongs to.", primary_key=True)
    session = _session()
    patient_id = _text("The person seen.")
    date = _date("Date of the session.")
    attendance = _choice(codes.ATTENDANCE, "Whether the patient came; empty = attended.")
    purpose = _choice(codes.PURPOSES, "What the appointment was for; empty = treatment.")
    mechanism = _choice(codes.MECHANISMS, "How patient and therapist met.")
    therapy = _choice(codes.THERAPY_NAMES, "Therapy delivered.")
    therapist_id = _text("Pseudonym of the therapist.", nullable=True)
    duration = dy.UInt16(nullable=True, max=1440, metadata={"description": "Length, minutes."})


#: One row per appointment: item answers, and totals where there are only totals.
Contacts = type(
    "Contacts",
    (_ContactKeys,),
    {
        "__doc__": "One row per appointment, with the answers given there.",
        **{k: v for i in INSTRUMENTS.values() for k, v in _items(i).items()},
        **{f"{i.code}_total": _total(i) for i in INSTRUMENTS.values()},
    },
)


class Scores(dy.Schema):
    """One row per score of any other scale: personal goals, wellbeing, disorder measures."""

    referral_id = _text("The referral the score belongs to.", primary_key=True)
    patient_id = _text("The person who answered.")
    date = dy.Date(primary_key=True, metadata={"description": "When it was answered."})
    instrument = _text("Code of the scale, see `iesoresearch.measures.SCALES`.", primary_key=True)
    item = dy.UInt16(
        primary_key=True, max=999, metadata={"description": "Number of the item; 0 = total."}
    )
    session = dy.UInt16(
        nullable=True, min=1, max=1000, metadata={"description": "Appointment it was given at."}
    )
    value = _number("The answer or the total.")


class Content(dy.Schema):
    """One row per session and element of therapy: how much of it there was."""

    referral_id = _text("The referral the session belongs to.", primary_key=True)
    session = _session("Number of the appointment, as in contacts.")
    element = _text("Element of therapy, as the site's codebook names it.", primary_key=True)
    words = dy.UInt32(metadata={"description": "Words of the therapist labelled with it."})


TABLES = {
    "patients": Patients,
    "referrals": Referrals,
    "contacts": Contacts,
    "scores": Scores,
    "content": Content,
}
#: Tables that a cohort may do without.
OPTIONAL = ("scores", "content")
