"""Systems of the paper that the language must be able to say, declared for the tests."""

from dataclasses import replace

from cortex_model.language import (
    Carry,
    Climb,
    Descend,
    Learn,
    Let,
    Number,
    Projection,
    Repeat,
    Rule,
    Show,
)
from cortex_model.rules.hierarchy import BIASES, FEEDBACK, FORWARD, OUTPUT_ERROR, PERCEIVE, WEIGHT_UPDATE

LEARNING_RATE = Number(0.05, "step of learning", at_least=0)
BIAS_UPDATE = Learn("b", "-learning_rate", "delta_post*rate_pre")

# ---------------------------------------------------------------------- Whittington & Bogacz 2017
GUESS = (
    Show("input", "activity = stimulus"),
    Carry("b", "rate", "bias"),
    Climb(
        Carry("W", "activity", "prediction"),
        Let("above input", "value = prediction + bias"),
        Let("hidden", "activity = sigma(value)"),
    ),
)
PREDICTION_ERROR = Let("above input", "error = value - prediction - bias")
INFER = (
    Carry("V", "error", "apical_drive"),
    Let("hidden", "value += inference_rate*(slope(value, activity)*apical_drive - error)"),
    Let("hidden", "activity = sigma(value)"),
    Carry("W", "activity", "prediction", levels="2..L"),
)
PREDICTIVE_CODING = Rule(
    "predictive_coding",
    {"W": FORWARD, "V": replace(FEEDBACK, start="transpose of W"), "b": BIASES},
    {
        "wake": (
            *GUESS,
            Let("top", "value = target"),
            Repeat("inference_steps", PREDICTION_ERROR, *INFER),
            PREDICTION_ERROR,
            Learn("W", "learning_rate", "error_post*activity_pre"),
            Learn("b", "learning_rate", "error_post*rate_pre"),
            Learn("V", "learning_rate", "activity_post*error_pre"),
        ),
        "evaluation": GUESS,
    },
    {
        "learning_rate": LEARNING_RATE,
        "inference_rate": Number(0.1, "step of inference", above=0),
        "inference_steps": Number(6, "rounds of inference", at_least=0, whole=True),
    },
    recorded=("value",),
)

# ---------------------------------------------------------------------- Lee, Zhang, Fischer & Bengio 2015
DIFFERENCE_TARGET_PROPAGATION = Rule(
    "difference_target_propagation",
    {"W": FORWARD, "V": FEEDBACK, "b": BIASES},
    {
        "wake": (
            *PERCEIVE,
            OUTPUT_ERROR,
            Let("top", "wanted = rate - target_step*delta"),
            Carry("V", "rate", "reconstruction_drive"),
            Descend(
                Carry("V", "wanted", "target_drive"),
                Let("hidden", "wanted = rate + sigma(target_drive) - sigma(reconstruction_drive)"),
            ),
            Let("hidden", "delta = slope(basal_drive, response)*(rate - wanted)"),
            WEIGHT_UPDATE,
            BIAS_UPDATE,
            Let("hidden", "noisy = rate + noise_scale*noise(2)"),
            Carry("W", "noisy", "noisy_basal", levels="2..L"),
            Let("2..L-1", "up = sigma(noisy_basal + bias)"),
            Let("top", "up = tanh(noisy_basal + bias)"),
            Carry("V", "up", "noisy_apical"),
            Let("hidden", "inverse_error = (noisy - sigma(noisy_apical))*slope(noisy_apical)"),
            Learn("V", "inverse_learning_rate", "inverse_error_post*up_pre"),
        ),
        "evaluation": PERCEIVE,
    },
    {
        "learning_rate": LEARNING_RATE,
        "target_step": Number(0.3, "how far the top target is from the rate", above=0),
        "noise_scale": Number(0.1, "deviation of the noise around what is seen", at_least=0),
        "inverse_learning_rate": Number(0.02, "step of the inverse", at_least=0),
    },
)

# ---------------------------------------------------------------------- Hinton, Dayan, Frey & Neal 1995
RECOGNISED = "learning_rate", "(rate_post - recognised_post)*rate_pre"
GENERATED = "learning_rate", "(rate_post - expected_post)*rate_pre"
WAKE_SLEEP = Rule(
    "wake_sleep",
    {"W": FORWARD, "b": BIASES, "V": Projection("l", "l-1"), "c": Projection("1", "l", "0..L", start="zero")},
    {
        "wake": (
            Show("input", "rate = stimulus"),
            Carry("b", "rate", "bias"),
            Climb(
                Carry("W", "rate", "basal_input"),
                Let("above input", "chance = sigmoid(basal_input + bias)\nrate = int(uniform(2) < chance)"),
            ),
            Carry("c", "rate", "prior"),
            Carry("V", "rate", "apical_drive"),
            Let("0..L-1", "expected = sigmoid(apical_drive + prior)"),
            Let("top", "expected = sigmoid(prior)"),
            Learn("V", *GENERATED),
            Learn("c", *GENERATED),
        ),
        "sleep": (
            Carry("c", "rate", "prior"),
            Let("top", "chance = sigmoid(prior)\nrate = int(uniform(3) < chance)"),
            Descend(
                Carry("V", "rate", "apical_drive"),
                Let("0..L-1", "chance = sigmoid(apical_drive + prior)\nrate = int(uniform(3) < chance)"),
            ),
            Carry("b", "rate", "bias"),
            Carry("W", "rate", "basal_input"),
            Let("above input", "recognised = sigmoid(basal_input + bias)"),
            Learn("W", *RECOGNISED),
            Learn("b", *RECOGNISED),
        ),
    },
    {"learning_rate": LEARNING_RATE},
)

# ---------------------------------------------------------------------- Chen, Zhang, Cameron & Sejnowski 2024
HIPPOCAMPUS = Rule(
    "hippocampus",
    {"W": replace(FORWARD, levels="1"), "b": replace(BIASES, levels="1"), "R": Projection("l", "l", "1")},
    {
        "wake": (
            Show("input", "rate = stimulus"),
            Carry("b", "rate", "bias"),
            Carry("W", "rate", "basal_input"),
            Let("1", "before = 0"),
            Repeat(
                "sequence_length",
                Carry("R", "before", "recurrent_drive"),
                Let("1", "expected = sigma(recurrent_drive)"),
                Let("1", "rate = sigma(basal_input + bias + expected)"),
                Let("1", "surprise = rate - expected"),
                Learn("R", "learning_rate", "surprise_post*before_pre"),
                Let("1", "before = rate"),
            ),
        ),
    },
    {
        "learning_rate": Number(0.1, "step of learning", at_least=0),
        "sequence_length": Number(4, "how many states follow each other", at_least=1, whole=True),
    },
)

DECLARED = (PREDICTIVE_CODING, DIFFERENCE_TARGET_PROPAGATION, WAKE_SLEEP, HIPPOCAMPUS)
