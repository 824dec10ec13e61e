"""Kinds of slots, and the phases that they belong to."""

#: A slot is one time step; sleep presentations take one to three of them. In the leaky mode each of these is a stretch
#: of time, of many slots (`cortex_model.phases.leaky`), and there are two kinds more.
KINDS = ("wake", "evaluation", "ascending", "descending", "returning", "perception", "recall")
WAKE, EVALUATION, ASCENDING, DESCENDING, RETURNING, PERCEPTION, RECALL = range(len(KINDS))
PHASES = {"wake": (WAKE,), "sleep": (ASCENDING, DESCENDING, RETURNING), "evaluation": (EVALUATION,)}
