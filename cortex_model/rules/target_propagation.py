r"""Difference target propagation: feedback brings each population a target, a state that would have been better.

The population below the top takes its target from the output error, those below it from the target above, through
feedback that has learned to invert the forward path:

    t_{L-1} = h_{L-1} - alpha V_L e
    t_{l-1} = h_{l-1} + g_l(t_l) - g_l(h_l),    g_l(h) = sigma(V_l h + c_l)
    delta_l = D_l * (h_l - t_l) / alpha,    dW_l = - lambda delta_l h_{l-1}^T,    db_l = - lambda delta_l

where alpha is the ``target_step``, g_l the learned inverse of population l, c_l its biases; other letters are those of
`cortex_model.rules.hierarchy`. The difference g_l(t_l) - g_l(h_l) takes out what the inverse gets wrong at h_l; with
``difference=false``, t_{l-1} = g_l(t_l), that error stays in the target, and learning fails.

Inverses learn in the same presentation, on noise around what is seen, and the topmost feedback learns in sleep, by
recirculation (`cortex_model.rules.reciprocal`):

    x = h_{l-1} + s n,  u = sigma(W_l x + b_l),  r = g_l(u)
    dV_l = eta_g (x - r) g_l' u^T,  dc_l = eta_g (x - r) g_l'

    up = W_L xi,  rec = V_L up:    dV_L = eta [(g xi - rec) up^T - d V_L]

where n and xi are noise, s is the ``inverse_noise``, eta_g the ``inverse_learning_rate``. All of it is local, if a
population can hold its rate, its target and a noisy copy of its rate apart: three compartments, or three moments.

Source: D.-H. Lee, S. Zhang, A. Fischer and Y. Bengio, "Difference target propagation", ECML 2015; Y. Bengio, "How
auto-encoders could provide credit assignment in deep networks via target propagation", arXiv 1407.7906, 2014.
"""

from dataclasses import replace

from cortex_model.language import Carry, Descend, Learn, Let, Number, Projection, Settle, Show
from cortex_model.rules.hierarchy import BIAS_UPDATE, OUTPUT_ERROR, PERCEIVE, WEIGHT_UPDATE
from cortex_model.rules.random_feedback import RULE as RANDOM_FEEDBACK
from cortex_model.rules.reciprocal import NOISE_GAIN, SLEEP_NUMBERS

#: Levels of V that are inverses: all but the topmost.
INVERSES = "2..L-1"
TARGETS = (
    Carry("V", "delta", "error_drive", levels="L", name="error_drive", paper=r"$V_L e$"),
    Let(
        "hidden & L-1", "wanted = rate - target_step*(apical_gain*error_drive)",
        name="first_target", paper=r"$t_{L-1} = h_{L-1} - \alpha V_L e$",
    ),
    Carry("c", "rate", "inverse_bias"),
    Carry("V", "rate", "reconstruction_drive", levels=INVERSES),
    Let("1..L-2", "reconstructed = sigma(reconstruction_drive + inverse_bias)", name="inverse", paper="$g_l(h_l)$"),
    Descend(
        Carry("V", "wanted", "target_drive", levels=INVERSES),
        Let(
            "1..L-2", "wanted = sigma(target_drive + inverse_bias) + difference*(rate - reconstructed)",
            name="next_target", paper=r"$t_{l-1} = h_{l-1} + g_l(t_l) - g_l(h_l)$",
        ),
    ),
    Let(
        "hidden", "delta = slope(basal_drive, response)*((rate - wanted)/target_step)",
        name="displacement", paper=r"$\delta_l = D_l (h_l - t_l)/\alpha$",
    ),
)  # fmt: skip
INVERT = (
    Let("1..L-2", "noisy = rate + inverse_noise*noise(2)", name="noisy_rate", paper="$x = h_{l-1} + s n$"),
    Carry("W", "noisy", "noisy_drive", levels=INVERSES),
    Let(INVERSES, "up = sigma(noisy_drive + bias)", paper="$u$"),
    Carry("V", "up", "returning_drive", levels=INVERSES),
    Let("1..L-2", "returned = sigma(returning_drive + inverse_bias)", paper="$r = g_l(u)$"),
    Let("1..L-2", "difference_below = slope(returning_drive + inverse_bias, returned)*(noisy - returned)"),
)
INVERSE_UPDATES = (
    Learn(
        "V", "inverse_learning_rate", "difference_below_post*up_pre", levels=INVERSES, per="up_pre",
        name="inverse_update", paper=r"$\Delta V_l = \eta_g (x - r) g_l' u^T$",
    ),
    Learn(
        "c", "inverse_learning_rate", "difference_below_post",
        name="inverse_bias_update", paper=r"$\Delta c_l = \eta_g (x - r) g_l'$",
    ),
)  # fmt: skip
TOPMOST = (
    Show("post of V & L-1", "rate = noise(0)", name="noise", paper=r"$\xi$"),
    Carry("W", "rate", "basal_input", levels="L & levels of V"),
    Settle("pre of V & L", "up", "basal_input", name="up", paper=r"$up = W\xi$"),
    Carry("V", "up", "reconstruction_drive", levels="L & levels of V"),
    Settle("post of V & L-1", "rec", "reconstruction_drive", name="rec", paper=r"$rec = V\, up$"),
    Let("post of V & L-1", "difference_below = noise_gain*rate - rec"),
    Learn(
        "V", "sleep_learning_rate", "difference_below_post*up_pre - damping*weight", levels="L & levels of V",
        per="up_pre", name="topmost_update", paper=r"$\Delta V_L = \eta[(g\xi - rec)\,up^T - dV_L]$",
    ),
)  # fmt: skip

RULE = replace(
    RANDOM_FEEDBACK,
    name="target_propagation",
    projections=RANDOM_FEEDBACK.projections | {"c": Projection("1", "l-1", INVERSES, start="zero")},
    phases=RANDOM_FEEDBACK.phases
    | {
        "wake": (*PERCEIVE, OUTPUT_ERROR, *TARGETS, *INVERT, WEIGHT_UPDATE, BIAS_UPDATE, *INVERSE_UPDATES),
        "sleep": TOPMOST,
    },
    numbers=RANDOM_FEEDBACK.numbers
    | SLEEP_NUMBERS
    | NOISE_GAIN
    | {
        "target_step": Number(0.3, "alpha: how far the first target is from the rate", above=0),
        "inverse_learning_rate": Number(0.1, "eta_g: step of inverse_update in wake", at_least=0),
        "inverse_noise": Number(0.3, "s: deviation of the noise around rates on which inverses learn", at_least=0),
        "difference": Number(
            1, "whether targets are corrected by what the inverse gets wrong", at_least=0, at_most=1, whole=True
        ),
    },
    paper="Lee et al. 2015",
    also_called="dtp difference_target_propagation tp targetprop target_prop",
)
