r"""Predictive recirculation in the hippocampus: CA3 learns what entorhinal cortex (EC) sends next, CA1 holds the error.

    y_t = sigma(B h_t),    yhat_{t+1} = sigma(A y_t),    hhat_{t+1} = sigma(U yhat_{t+1})
    eps_{t+1} = h_{t+1} - hhat_{t+1},    dU = eta eps_{t+1} yhat_{t+1}^T
    y_{t+1} = sigma(B h_{t+1}),    dA = eta (y_{t+1} - yhat_{t+1}) y_t^T

where h_t are the rates of EC (population 0) at time t of a sequence; y_t is what EC makes of CA3 (population 1) through
the fixed random synapses B (``W_1``), its ``perceived`` rates; yhat is what CA3 predicts of it through its own
recurrent synapses A (``R_1``), its ``rate``; hhat is what CA1 (population 2) predicts of EC through U (``W_2``), its
``rate``; eps is the ``error`` of CA1, which the next input reaches directly; y - yhat is the ``surprise`` of CA3; sigma
is the nonlinearity (the paper's tanh) and eta the ``learning_rate``. There are no biases.

A presentation is one step of a sequence: EC shows h_t, the stimulus, CA3 and CA1 predict, EC shows h_{t+1}, the target,
and both compare. An evaluation shows h_t and answers hhat_{t+1}. In replay (``recall``) EC shows one state, and
then CA3 goes on by itself: what it predicts is its next state, ``replay_steps`` times,

    y_{t+1} = (1 - g) yhat_{t+1} + g sigma(B hhat_{t+1})

while CA1 says each time what EC would have sent, hhat, and EC shows that, through the topographic projection E from CA1
back to EC. Here g is ``replay_through_cortex``: with 0 the loop is closed within CA3, with 1 through CA1 and EC.

What is local: all of it. A synapse onto CA1 changes by the error of its own neuron, a recurrent synapse by the surprise
of its own neuron, each times the presynaptic rate. No error travels from CA1 to CA3. What is assumed: that neurons of
CA3 tell input from recurrent drive, and hold y_t until the next input has come; that E is one to one.

Where it departs: a state of CA3 depends on the present input alone, so that a sequence is a chain of pairs. Two
sequences that share a state cannot be told apart after it.

Source: Y. Chen, H. Zhang, M. Cameron and T. Sejnowski, "Predictive sequence learning in the hippocampal formation",
Neuron 112, 2024; the form that is declared here has no recirculation of noise, and its numbers are those of our sketch.
"""

from cortex_model.language import Carry, Learn, Let, Number, Projection, Repeat, Rule, Show

CA3, CA1 = "1", "2"

PERCEIVE = (
    Carry("W", "rate", "drive", levels=CA3, name="perforant_path", paper=r"$B h_t$"),
    Let(CA3, "perceived = sigma(drive)", name="perceived_state", paper=r"$y_t = \sigma(B h_t)$"),
)
PREDICT = (
    Carry("R", "perceived", "recurrent_drive", name="recurrent_drive", paper=r"$A y_t$"),
    Let(CA3, "rate = sigma(recurrent_drive)", name="predicted_state", paper=r"$\hat y_{t+1} = \sigma(A y_t)$"),
    Carry("W", "rate", "drive", levels=CA1, name="schaffer_collaterals", paper=r"$U \hat y_{t+1}$"),
    Let(CA1, "rate = sigma(drive)", name="predicted_input", paper=r"$\hat h_{t+1} = \sigma(U \hat y_{t+1})$"),
)
PRESENT_STATE = Show("input", "rate = stimulus", name="present_input", paper=r"$h_t$")

RULE = Rule(
    "predictive_recirculation",
    projections={
        "W": Projection("l-1", "l"),
        "R": Projection("l", "l", "1"),
        "E": Projection("L", "0", "1", start="identity"),
    },
    phases={
        "wake": (
            PRESENT_STATE,
            *PERCEIVE,
            *PREDICT,
            Let(CA1, "error = target - rate", name="mismatch", paper=r"$\epsilon = h_{t+1} - \hat h_{t+1}$"),
            Learn("W", "learning_rate", "error_post*rate_pre", levels=CA1,
                  name="output_update", paper=r"$\Delta U = \eta\, \epsilon\, \hat y_{t+1}^T$"),
            Show("input", "rate = target", name="next_input", paper=r"$h_{t+1}$"),
            Carry("W", "rate", "drive", levels=CA3),
            Let(CA3, "surprise = sigma(drive) - rate", name="surprise", paper=r"$y_{t+1} - \hat y_{t+1}$"),
            Learn("R", "learning_rate", "surprise_post*perceived_pre",
                  name="recurrent_update", paper=r"$\Delta A = \eta\, (y_{t+1} - \hat y_{t+1})\, y_t^T$"),
        ),
        "evaluation": (PRESENT_STATE, *PERCEIVE, *PREDICT),
        "recall": (
            PRESENT_STATE,
            Let(CA3, "rate = 0\nfrom_cortex = 1"),
            Repeat(
                "replay_steps",
                PERCEIVE[0],
                Let(CA3, "perceived = from_cortex*sigma(drive) + (1 - from_cortex)*rate", name="replayed_state",
                    paper=r"$y_{t+1} = (1 - g)\, \hat y_{t+1} + g\, \sigma(B \hat h_{t+1})$"),
                *PREDICT,
                Carry("E", "rate", "returned", name="return_to_cortex", paper=r"$\hat h_{t+1}$ back to EC"),
                Let("input", "rate = returned"),
                Let(CA3, "from_cortex = replay_through_cortex"),
            ),
        ),
    },
    numbers={
        "learning_rate": Number(0.02, "eta: step of U and of A", at_least=0),
        "replay_steps": Number(95, "predictions that follow each other in replay", "steps", at_least=1, whole=True),
        "replay_through_cortex": Number(
            0.0, "g: part of the state of CA3 in replay that comes from EC instead of CA3 itself", at_least=0, at_most=1
        ),
    },
    paper="Chen, Zhang, Cameron & Sejnowski 2024",
    also_called="hippocampus hippocampal hippocampal_replay ca3 ca1 sequence_learning predictive_learning",
    task="sequences",
    populations=("EC", "CA3", "CA1"),
)  # fmt: skip
