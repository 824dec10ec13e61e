"""Every rule, nonlinearity and option: the simulator gives what theory predicts, on each device."""

import itertools

import numpy as np
import pytest

from cortex_model.devices.simulation import Simulation
from cortex_model.parameters import LEARNING_RULES
from cortex_model.theory import NONLINEARITIES, SLEEP_RULES, TOP_RATES, backpropagation_gradient, hierarchy_response
from cortex_model.theory import output_loss
