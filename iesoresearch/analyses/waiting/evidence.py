"""Where the result shows what CHEERS 2022 asks for; what only people know, they state."""

#: Item of CHEERS 2022 -> references, see `iesoresearch.reporting.evidence`.
EVIDENCE = {
    "1": ["provenance:title"],
    "2": ["text:plain"],
    "3": ["notebook:What waiting costs, against what therapy costs", "text:plain"],
    "5": ["text:reading", "table:severity", "table:waits"],
    "6": ["text:reading", "table:waits", "provenance:published"],
    "7": ["table:strategies", "param:spread_weeks"],
    "8": ["table:verdict", "text:reading"],
    "9": ["param:horizon_weeks", "table:assumptions", "table:scenarios"],
    "10": ["table:inputs", "table:tornado"],
    "11": ["text:reading", "table:health_lost"],
    "12": ["table:inputs", "table:health_lost"],
    "13": ["table:inputs", "param:thresholds", "param:instrument"],
    "14": ["table:inputs", "table:patient_week"],
    "15": ["table:inputs", "text:limits"],
    "16": ["text:reading", "check:the fast evaluation is that of the general engine"],
    "17": [
        "table:queue_assumptions",
        "table:assumptions",
        "table:month",
        "table:net_benefits",
        "check:what Catarino 2023 print is met",
    ],
    "18": ["table:severity", "table:verdict_every"],
    "19": [
        "not done: in part only, see the tables by deprivation: who is referred is published by "
        "decile, but no wait and no cost or effect, so these are taken to be alike"
    ],
    "20": ["param:n_draws", "table:inputs", "table:scenarios", "table:evppi"],
    "22": ["table:inputs", "table:assumptions"],
    "23": ["table:verdict", "table:strategies", "table:by_week"],
    "24": [
        "figure:tornado",
        "figure:acceptability",
        "figure:explained",
        "table:scenarios",
        "table:value_of_information",
        "table:studies",
        "figure:break_even",
        "check:draws are enough",
    ],
    "26": ["text:plain", "text:limits", "table:net_benefits"],
}
