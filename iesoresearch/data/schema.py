"""The canonical tables: type, bounds, code list and meaning of every column in one place."""

import dataframely as dy

from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.instruments import Instrument

GENDERS = ("female", "male", "other", "not known")


def _text(description: str, **options) -> dy.String:
    return dy.String(metadata={"description": description}, **options)


class Patients(dy.Schema):
    """One row per person."""

    patient_id = _text("Pseudonym of the person.", primary_key=True)
    age = dy.UInt8(
        nullable=True,
        max=120,
        metadata={"description": "Age at referral or interview, years."},
    )
    gender = dy.Enum(
        GENDERS, nullable=True, metadata={"description": "Gender (NHANES: sex as recorded)."}
    )
    ethnicity = _text("Ethnic category in the code list of the source.", nullable=True)
    deprivation_decile = dy.UInt8(
        nullable=True,
        min=1,
        max=10,
        metadata={"description": "Index of Multiple Deprivation decile, 1 = most deprived."},
    )


class Referrals(dy.Schema):
    """One row per referral; an interview of a survey counts as one."""

    referral_id = _text("Pseudonym of the referral or interview.", primary_key=True)
    patient_id = _text("The person referred.")
    referral_date = dy.Date(nullable=True, metadata={"description": "Referral received."})
    discharge_date = dy.Date(nullable=True, metadata={"description": "End of care."})


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
    return dy.Float64(
        nullable=True,
        min=0,
        max=instrument.highest,
        metadata={"description": f"{instrument.name} total, where the site holds totals only."},
    )


class _ContactKeys(dy.Schema):
    referral_id = _text("The referral the session belongs to.", primary_key=True)
    session = dy.UInt16(
        primary_key=True,
        min=1,
        max=1000,
        metadata={"description": "Number of the session within the referral, from 1."},
    )
    patient_id = _text("The person seen.")
    date = dy.Date(nullable=True, metadata={"description": "Date of the session."})


#: One row per session: item answers, and totals where there are only totals.
Contacts = type(
    "Contacts",
    (_ContactKeys,),
    {
        "__doc__": "One row per session, with the answers given there.",
        **{k: v for i in INSTRUMENTS.values() for k, v in _items(i).items()},
        **{f"{i.code}_total": _total(i) for i in INSTRUMENTS.values()},
    },
)

TABLES = {"patients": Patients, "referrals": Referrals, "contacts": Contacts}
