"""Who the patients of a group are, in words."""

#: Of a level, who they are; "{}" stands for the level in small letters as it is in tables.
_PHRASES = {
    "Gender": "patients whose gender is {}",
    "Age band": "patients aged {}",
    "Ethnic group": "patients of the group {}",
    "Ethnicity": "{} patients",
    "Deprivation quintile": "patients of deprivation fifth {}",
    "Orientation": "{} patients",
    "Long-term condition": "patients with a long-term condition: {}",
}
#: "Other" groups as they are recorded, so that nobody takes them for all but the largest.
_BETTER = {
    ("Gender", "female"): "women",
    ("Gender", "male"): "men",
    ("Age band", "under 18"): "patients under 18",
    ("Age band", "90 and over"): "patients of 90 and over",
    ("Ethnic group", "White"): "White patients",
    ("Ethnic group", "Asian or Asian British"): "Asian or Asian British patients",
    ("Ethnic group", "Black or Black British"): "Black or Black British patients",
    ("Ethnic group", "Mixed"): "patients of mixed ethnicity",
    ("Ethnic group", "Other"): "patients recorded as “Other” ethnic group",
    ("Ethnicity", "any other ethnic group"): "patients recorded as “any other ethnic group”",
    ("Ethnicity", "any other White background"): "patients of any other White background",
    ("Ethnicity", "any other mixed background"): "patients of any other mixed background",
    ("Ethnicity", "any other Asian background"): "patients of any other Asian background",
    ("Ethnicity", "any other Black background"): "patients of any other Black background",
    ("Deprivation quintile", "1 (most deprived)"): "patients of the most deprived fifth",
    ("Deprivation quintile", "5 (least deprived)"): "patients of the least deprived fifth",
    ("Orientation", "other"): "patients recorded as “other” orientation",
    ("Long-term condition", "yes"): "patients with a long-term condition",
    ("Long-term condition", "no"): "patients without a long-term condition",
}


def phrase(grouping: str, level: str) -> str:
    """Who the patients of a level are, in words."""
    return _BETTER.get((grouping, level), _PHRASES[grouping].format(level))
