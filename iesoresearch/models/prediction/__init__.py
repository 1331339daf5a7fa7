"""Predicting an outcome of a referral from what is known by a landmark, and saying why.

`schema` says what a model may see, `pipelines` builds the models, `nested` tunes them without
looking at who they are judged on, `explanation` says what moves a prediction, and `saved` shares a
model as a file. Import from the modules: this one stays light.
"""
