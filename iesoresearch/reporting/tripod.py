"""What TRIPOD+AI asks a report of a prediction model to say, and the domains of PROBAST+AI.

Numbers of the items are those of TRIPOD+AI (Collins et al. 2024, doi:10.1136/bmj-2023-078378,
table 2); the words are ours and shorter, so whoever fills in a journal's form needs the original.
Domains of PROBAST+AI: Moons et al. 2025, doi:10.1136/bmj-2024-082505; which items speak to which
domain is our own reading.
"""

from iesoresearch.reporting.items import Checklist, Item, items_of

_ASKED = {
    "Title and abstract": {
        "1": "A title that names the model, its patients, its outcome, and whether it is new",
        "2": "A summary",
    },
    "Introduction": {
        "3a": "Why a prediction is wanted here, and which models there are already",
        "3b": "For whom, at which point of care, and who is to use it",
        "3c": "Inequalities between groups of people that are known",
        "4": "The questions: making a model, evaluating one, or both",
    },
    "Methods": {
        "5a": "Where the data come from, why these, and whom they stand for",
        "5b": "From when to when people were included and followed",
        "6a": "In what sort of services, how many and where",
        "6b": "Who was included and who was not",
        "6c": "What treatment people had, and what that means for the model",
        "7": "How data were prepared and checked, and whether alike for all groups",
        "8a": "The outcome: what, by when, why this one, and whether measured alike for all",
        "8b": "Who judged the outcome, if it takes judgement",
        "8c": "Whether those who judged the outcome were kept from knowing the rest",
        "9a": "How the first set of predictors was chosen",
        "9b": "Each predictor: what it is, how and when it is measured",
        "9c": "Who judged predictors, if that takes judgement",
        "10": "How many people were needed, and whether there were enough",
        "11": "What was done about missing values, and why anything was left out",
        "12a": "Which data served which purpose",
        "12b": "In which form predictors enter the model",
        "12c": "What kind of model and why, every step of making it, and internal validation",
        "12d": "What was done about differences between services",
        "12e": "Measures and plots of performance, and how models were compared",
        "12f": "Whether the model was updated after its evaluation",
        "12g": "How predictions were computed for the evaluation",
        "13": "Whether rare outcomes were given more weight, and what set that right again",
        "14": "What was done to make the model fair, and why",
        "15": "What the model gives out, and where any threshold comes from",
        "16": "How the data of the evaluation differ from those the model was made with",
        "17": "Approval by an ethics committee, and consent",
    },
    "Open science": {
        "18a": "Who paid, and what say they had",
        "18b": "Conflicts of interest",
        "18c": "Where the protocol is, or that there is none",
        "18d": "Where the study is registered, or that it is not",
        "18e": "Who can have the data",
        "18f": "Who can have the code",
    },
    "Patient and public involvement": {
        "19": "What part patients and the public had in the study",
    },
    "Results": {
        "20a": "Flow of people through the study, with and without the outcome",
        "20b": "Who they were, overall and by setting, missing values included",
        "20c": "How they differ from those the model was made with",
        "21": "How many people and outcomes stand behind each analysis",
        "22": "The model in full, so that others can predict with it, and the terms of use",
        "23a": "Performance with intervals, overall and by group",
        "23b": "Performance from service to service",
        "24": "The updated model, and its performance",
    },
    "Discussion": {
        "25": "What it means, fairness included, beside earlier work",
        "26": "Limits, and what they do to the findings",
        "27a": "What to do about poor or absent inputs when the model is used",
        "27b": "What users have to do, and what they have to know",
        "27c": "What has to be studied next, elsewhere too",
    },
}
_DOMAINS = {
    "Participants and data sources": ("5a", "5b", "6a", "6b", "6c", "7", "20a", "20b"),
    "Predictors": ("9a", "9b", "9c", "12b"),
    "Outcome": ("8a", "8b", "8c"),
    "Analysis": (
        *("10", "11", "12a", "12c", "12d", "12e", "12f", "12g", "13", "14"),
        *("21", "23a", "23b", "24"),
    ),
}

#: Not of TRIPOD+AI, but a model card needs it.
CONTACT = Item("contact", "Model card", "Whom to ask", people=True)

CHECKLIST = Checklist(
    name="tripod",
    title="TRIPOD+AI",
    page="tripod_ai",
    subject="prediction model",
    sources={
        "Items: TRIPOD+AI": "10.1136/bmj-2023-078378",
        "domains: PROBAST+AI": "10.1136/bmj-2024-082505",
    },
    items=items_of(_ASKED, people={"17", "18a", "18b", "18c", "18d", "19"}),
    model_card=True,
    domains=_DOMAINS,
)
