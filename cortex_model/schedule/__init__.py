"""What is presented, when, and what happens in it, as arrays that a device is handed."""

from cortex_model.schedule.declared import PHASES, Declared, declared
from cortex_model.schedule.presentations import EVALUATION, PERCEPTION, RECALL, SLEEP, WAKE, Schedule
from cortex_model.schedule.stimuli import Stimuli, one_hot
from cortex_model.schedule.weave import schedule_of, sleep_schedule, trace_schedule, wake_sleep_schedule

__all__ = [
    "EVALUATION",
    "PERCEPTION",
    "PHASES",
    "RECALL",
    "SLEEP",
    "WAKE",
    "Declared",
    "Schedule",
    "Stimuli",
    "declared",
    "one_hot",
    "schedule_of",
    "sleep_schedule",
    "trace_schedule",
    "wake_sleep_schedule",
]
