r"""Wake-sleep: a Helmholtz machine learns to produce what it sees; wake trains feedback, dreams train perception.

Every unit is on (1) or off (0), and draws its state, with a chance that its input decides:

    recognition    q_l = sigmoid(W_l h_{l-1} + b_l),      h_l = 1 with chance q_l,    h_0 = the stimulus
    generation     p_L = sigmoid(c_L),    p_l = sigmoid(V_{l+1} h_{l+1} + c_l),       h_l = 1 with chance p_l
    wake           h by recognition,      dV_l = lambda (h_{l-1} - p_{l-1}) h_l^T,    dc_l = lambda (h_l - p_l)
    sleep          h by generation,       dW_l = lambda (h_l - q_l) h_{l-1}^T,        db_l = lambda (h_l - q_l)

where h_l are the states of population l (``rate``), W_l the forward weights from population l-1 and b_l their biases,
V_l the feedback weights from population l to l-1 and c_l the ``prior`` of each unit, its drive where nothing comes from
above (synapses from the unit that is always 1); sigmoid(x) = 1/(1 + exp(-x)); q_l (``recognised``) is how likely what
is below makes a unit, p_l (``expected``) how likely what is above does; lambda is the ``learning_rate``.

In wake a stimulus drives the hierarchy upwards, and every population is compared with what the one above expects of it:
feedback learns to produce what perception found. In sleep nothing is shown. The top draws a state from its prior,
activity descends to the input as a fantasy, a dream, and every population is compared with what the one below makes of
it: forward weights learn to find the causes of what was dreamed. No error travels, and no target is given.

Local: a synapse changes by the state of its presynaptic neuron and by what its postsynaptic neuron holds, its own state
and its own chance. Not local: all synapses are told whether it is wake or sleep, since one kind learns in each; and a
neuron must hold apart what comes from below and what comes from above (basal and apical), and be driven by one of them.

Averaged over what is drawn, wake follows exactly the gradient of the variational free energy

    F(x) = sum_h q(h|x) [log q(h|x) - log p(x, h)]  >=  -log p(x)

by V and c. Sleep does not follow that of W and b: it descends the divergence of p from q instead of that of q from p,
on dreams instead of stimuli. Before dreams resemble stimuli, F can be above that of independent pixels.

Nothing takes time here (``dynamics=leaky`` is refused): a state is drawn once a presentation, and has no value between
off and on through which it could relax. A stimulus that is no 0 or 1 is shown as it is; the free energy is that of
binary ones. Other options of nonlinearities decide nothing. Numbers are drawn by their counter, the same on every
device; where a chance differs by a rounding between devices, a draw within that rounding can differ.

Source: G. E. Hinton, P. Dayan, B. J. Frey and R. M. Neal, "The wake-sleep algorithm for unsupervised neural networks",
Science 268, 1995. Theirs updates after each stimulus; here a batch learns by the mean over its stimuli, or dreams.
"""

from cortex_model.language import Carry, Climb, Descend, Learn, Let, Number, Projection, Rule, Show
from cortex_model.rules.hierarchy import BIASES, FORWARD

#: Stream of what is drawn on the way up, and of what is drawn on the way down.
UP, DOWN = 0, 1

#: Up from what the input holds: each unit draws its state from what is below.
RECOGNISE = (
    Show("input", "rate = stimulus", name="stimulus"),
    Carry("b", "rate", "bias"),
    Climb(
        Carry("W", "rate", "basal_input", name="basal_input", paper=r"$W_l h_{l-1}$"),
        Let(
            "above input",
            f"recognised = sigmoid(basal_input + bias)\nrate = int(uniform({UP}) < recognised)",
            name="recognition",
            paper=r"$q_l = \mathrm{sigmoid}(W_l h_{l-1} + b_l)$, $h_l = 1$ with chance $q_l$",
        ),
    ),
)

#: Down from a state of the top: each unit draws its state from what is above.
GENERATE = Descend(
    Carry("V", "rate", "apical_drive", name="apical_drive", paper=r"$V_{l+1} h_{l+1}$"),
    Let(
        "0..L-1",
        f"expected = sigmoid(apical_drive + prior)\nrate = int(uniform({DOWN}) < expected)",
        name="generation",
        paper=r"$p_l = \mathrm{sigmoid}(V_{l+1} h_{l+1} + c_l)$, $h_l = 1$ with chance $p_l$",
    ),
)
PRIOR = Carry("c", "rate", "prior", name="prior", paper="$c_l$")

#: Wake: what was recognised, beside what is expected of it from above.
EXPECT = (
    PRIOR,
    Carry("V", "rate", "apical_drive"),
    Let("0..L-1", "expected = sigmoid(apical_drive + prior)"),
    Let("top", "expected = sigmoid(prior)"),
    Let("all", "surprise = rate - expected", name="surprise", paper="$h_l - p_l$"),
)
#: Sleep: what was dreamed, beside what would be recognised in it from below.
DREAM = (
    PRIOR,
    Let(
        "top",
        f"expected = sigmoid(prior)\nrate = int(uniform({DOWN}) < expected)",
        name="dream",
        paper=r"$p_L = \mathrm{sigmoid}(c_L)$, $h_L = 1$ with chance $p_L$",
    ),
    GENERATE,
)
RECOGNISE_THE_DREAM = (
    Carry("b", "rate", "bias"),
    Carry("W", "rate", "basal_input"),
    Let("above input", "recognised = sigmoid(basal_input + bias)"),
    Let("above input", "overlooked = rate - recognised", name="overlooked", paper="$h_l - q_l$"),
)

GENERATIVE_UPDATE = Learn(
    "V", "learning_rate", "surprise_post*rate_pre",
    name="generative_update", paper=r"$\Delta V_l = \lambda\, (h_{l-1} - p_{l-1})\, h_l^T$",
)  # fmt: skip
PRIOR_UPDATE = Learn(
    "c", "learning_rate", "surprise_post",
    name="prior_update", paper=r"$\Delta c_l = \lambda\, (h_l - p_l)$",
)  # fmt: skip
RECOGNITION_UPDATE = Learn(
    "W", "learning_rate", "overlooked_post*rate_pre",
    name="recognition_update", paper=r"$\Delta W_l = \lambda\, (h_l - q_l)\, h_{l-1}^T$",
)  # fmt: skip
RECOGNITION_BIAS_UPDATE = Learn(
    "b", "learning_rate", "overlooked_post",
    name="recognition_bias_update", paper=r"$\Delta b_l = \lambda\, (h_l - q_l)$",
)  # fmt: skip

RULE = Rule(
    "wake_sleep",
    projections={
        "W": FORWARD,
        "b": BIASES,
        "V": Projection("l", "l-1"),
        "c": Projection("1", "l", "0..L", start="zero"),
    },
    phases={
        "wake": (*RECOGNISE, *EXPECT, GENERATIVE_UPDATE, PRIOR_UPDATE),
        "sleep": (*DREAM, *RECOGNISE_THE_DREAM, RECOGNITION_UPDATE, RECOGNITION_BIAS_UPDATE),
        "evaluation": RECOGNISE,
        "perception": RECOGNISE,
        "recall": (Show("top", "rate = target", name="top_state"), PRIOR, GENERATE),
    },
    numbers={"learning_rate": Number(0.1, "lambda: step of what learns, in wake and in sleep", at_least=0)},
    paper="Hinton, Dayan, Frey & Neal 1995",
    also_called="helmholtz helmholtz_machine wakesleep generative generative_model unsupervised vae variational sbn",
    task="stimuli",
)
