"""Perception and recall in time, replay, and spikes of any phase: every population, stimulus by stimulus.

Perception holds a stimulus at the input and lets activity climb; recall holds a state at the top and lets activity
descend the feedback projections, h_{l-1} -> sigma(V_l h_l) (`cortex_model.theory.leaky`). Both need dynamics in time,
leaky or spiking. Replay shows a cue and then lets a network that has learned sequences go on by itself, in settled
steps.
"""

from cortex_model.traces.files import read_traces, to_neo, write_traces
from cortex_model.traces.presented import perception, recall, replay, spikes
from cortex_model.traces.recording import check_traces

__all__ = ["check_traces", "perception", "read_traces", "recall", "replay", "spikes", "to_neo", "write_traces"]
