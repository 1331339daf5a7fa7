"""What CHEERS 2022 asks a report of an economic evaluation to say.

Numbers of the items are those of CHEERS 2022 (Husereau et al. 2022, doi:10.1136/bmj-2021-067975);
the words are ours and shorter, so whoever fills in a journal's form needs the original.
"""

from iesoresearch.reporting.items import Checklist, items_of

_ASKED = {
    "Title and abstract": {
        "1": "A title that says it is an economic evaluation, and of what",
        "2": "A summary: question, methods, main results and other analyses",
    },
    "Introduction": {
        "3": "Why the question is asked, and which decision it is for",
    },
    "Methods": {
        "4": "Whether there was a plan of the analysis, and where it is",
        "5": "Whom the results are about",
        "6": "Country and services that matter for the findings",
        "7": "What is compared, and why these",
        "8": "Whose costs and benefits count, and why",
        "9": "How long people are followed, and why so long",
        "10": "Discount rates, and why these",
        "11": "Which outcomes stand for benefit and harm",
        "12": "How these outcomes were measured",
        "13": "How these outcomes were valued, and by whom",
        "14": "How use of resources was measured and valued",
        "15": "Currency and year of prices, and how others were converted",
        "16": "The model in detail, why this one, and where anybody can get it",
        "17": "How data were analysed, results extrapolated and the model validated",
        "18": "How results are told apart for different groups of people",
        "19": "Who gains and who loses, and what is done about those who are worse off",
        "20": "How uncertainty is described, and where it comes from",
        "21": "What was done to involve patients, the public and others concerned",
    },
    "Results": {
        "22": "Every input with its value, its source, its uncertainty and its distribution",
        "23": "Mean costs and outcomes, and what follows from them for each comparison",
        "24": "How uncertain inputs, discounting and horizon change the findings",
        "25": "What the involvement of patients and others has changed",
    },
    "Discussion": {
        "26": "Findings, limits, what they mean for whom and elsewhere, beside earlier work",
    },
    "Money and interests": {
        "27": "Who paid, and what say they had",
        "28": "Conflicts of interest",
    },
}

CHECKLIST = Checklist(
    name="cheers",
    title="CHEERS 2022",
    page="cheers",
    subject="economic evaluation",
    sources={"Items: CHEERS 2022": "10.1136/bmj-2021-067975"},
    items=items_of(_ASKED, people={"4", "21", "25", "27", "28"}),
)
