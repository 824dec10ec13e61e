"""Kinds of slots, the phases that they belong to, and whose stimuli they show."""

#: A slot is one time step; sleep presentations take one to three of them. In the leaky mode each of these is a stretch
#: of time, of many slots (`cortex_model.phases.leaky`), and there are two kinds more.
KINDS = ("wake", "evaluation", "ascending", "descending", "returning", "perception", "recall")
WAKE, EVALUATION, ASCENDING, DESCENDING, RETURNING, PERCEPTION, RECALL = range(len(KINDS))
PHASES = {"wake": (WAKE,), "sleep": (ASCENDING, DESCENDING, RETURNING), "evaluation": (EVALUATION,)}
#: Part of the stimuli -> the kinds of slots that show its rows.
SHOWN = {"wake": (WAKE,), "evaluation": (EVALUATION, PERCEPTION, RECALL)}
