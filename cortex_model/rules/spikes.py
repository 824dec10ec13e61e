r"""What rules of a hierarchy are in spikes: two cells a unit, one that sends up and one that sends down.

Each unit has a basal compartment, which forward spikes reach, an apical one, which feedback spikes reach, and two
cells. The *forward cell* fires at a membrane threshold; the *feedback cell* fires when its charge has grown by one,
both at most once in a time step. Both send spikes of either sign, as an ON and an OFF cell with a shared drive do. No
spike has two meanings, so all pairs of populations can sleep at once. A rate of 1 is the highest that a forward cell
has, one spike a refractory period.

    basal       tau_s dI_l/dt = -I_l,      a forward spike s of j:     I_i += s W_ij t_ref/tau_s
    apical      tau_s dA_l/dt = -A_l,      a feedback spike s of k:    A_i += s V_ik/(rho tau_s)
    forward     tau_m du/dt = -u + I + b (sleep: + noise),             |u| > theta: spike, u -= s theta, rest t_ref
    input       t_ref du/dt = stimulus,                                |u| > 1/2: spike, u -= s
    trace       tau_h dx/dt = -x,          an own forward spike:       x += s t_ref/tau_h
    feedback    dq/dt = rho f,                                         |q| > 1: spike, q -= s

where s = +-1 is the sign of a spike and rho the rate of feedback spikes for f = 1. What a feedback cell sends is

    f = own forward spikes - target     at the top, in wake, from the onset of feedback on
    f = D A,  D = 1 where |I + b| < c   in a hidden population, in wake
    f = I                               in sleep, where noise drives forward cells; q leaks, too

Synapses change at feedback spikes alone, by what is there at their own neuron: no error spike, no change.

    W   at a feedback spike of the postsynaptic unit:   dW_ij = - lambda_l s x_j/(rho_l (T - onset)),    db_i likewise
    V   at a feedback spike of the presynaptic unit, before it arrives:
            dV_ij = eta s [(1 + d) x_i - A_i - m s V_ij/(rho tau_s)]/(rho (T_s - T_g))

The last term, m = 1/2, takes the apical potential half way between before the spike and after it; without it V becomes
too large, the more so the fewer feedback spikes there are. Voltages, traces and charges begin anew with each
presentation (forward cells at a random phase): weights are all that goes on to the next.

Source: the scheme is our own (recirculation in spikes: `cortex_model.rules.reciprocal`). That an apical potential
learns to predict the somatic spikes is R. Urbanczik and W. Senn, "Learning by the dendritic prediction of somatic
spiking", Neuron 81, 2014.
"""

from dataclasses import replace

from cortex_model.language import Carry, Dynamics, Fire, Learn, Let, Number, Repeat, Rule, Show, Steps

_FOLLOWS = "of the way to where it goes, in a time step"
#: Where neurons send spikes, nothing settles: equations are written out, a time step at a time.
SPIKING = Dynamics(
    "spiking",
    "{x} = {f}",
    {
        "time_step_ms": Number(1.0, "dt", "ms", above=0),
        "presentation_ms": Number(100.0, "T: of a stimulus", "ms", above=0),
        "feedback_onset_ms": Number(50.0, "time in wake from which the error is sent", "ms", at_least=0),
        "synapse_part": Number("1 - exp(-time_step_ms/synapse_ms)", f"part, of a synaptic current, {_FOLLOWS}"),
        "membrane_part": Number("1 - exp(-time_step_ms/membrane_ms)", f"part, of a membrane, {_FOLLOWS}"),
        "trace_part": Number("1 - exp(-time_step_ms/trace_ms)", f"part, of a trace, {_FOLLOWS}"),
    },
)

NUMBERS = {
    "synapse_ms": Number(5.0, "tau_s of synaptic currents, basal and apical", "ms", above=0),
    "membrane_ms": Number(10.0, "tau_m of forward cells", "ms", above=0),
    "trace_ms": Number(20.0, "tau_h of the trace that a forward cell's spikes leave", "ms", above=0),
    "refractory_ms": Number(5.0, "t_ref of forward cells; a rate of 1 is one spike in that time", "ms", above=0),
    "firing_threshold": Number(0.5, "theta of forward cells", above=0),
    "slope_limit": Number(2.0, "c: basal drive beyond which a hidden unit passes on no error", above=0),
    "top_error_rate": Number(0.2, "rho of the top population in wake: feedback spikes for 1", "1/ms", above=0),
    "hidden_error_rate": Number(3.0, "rho of hidden populations in wake", "1/ms", above=0),
    "feedback_rate": Number(0.5, "rho in sleep, perception and recall: feedback spikes for 1", "1/ms", above=0),
    "top_learning_rate": Number(0.05, "lambda of what ends in the top population, in wake", at_least=0),
    "hidden_learning_rate": Number(0.2, "lambda of what ends in a hidden population, in wake", at_least=0),
    "annealing_presentations": Number(
        8800.0, "wake presentations in which lambda falls to 1/e of itself", "presentations", above=0
    ),
}  # fmt: skip
SLEEP_NUMBERS = {
    "sleep_ms": Number(60.0, "T_s: of a presentation of noise", "ms", above=0),
    "sleep_onset_ms": Number(30.0, "T_g: time in sleep from which synapses change", "ms", at_least=0),
    "sleep_amplitude": Number(0.5, "deviation of the noise that drives forward cells", above=0),
    "charge_ms": Number(20.0, "time constant with which the charge of feedback cells leaks in sleep", "ms", above=0),
    "feedback_learning_rate": Number(0.005, "eta of V in sleep", at_least=0),
    "feedback_annealing_presentations": Number(
        1e9, "sleep presentations in which eta falls to 1/e of itself", "presentations", above=0
    ),
    "midpoint": Number(
        0.5, "part of its own effect on the apical potential that a feedback spike counts where V changes", at_least=0
    ),
    "feedback_damping": Number(0.0, "d: decay of V in sleep, 0: pseudoinverse ... large: transpose", at_least=0),
}

_WAKE_REQUIRES = {
    "feedback_onset_ms < presentation_ms": "because synapses change from the onset of feedback on",
    "time_step_ms <= refractory_ms": "because a cell fires at most once in a time step",
}
_SLEEP_REQUIRES = {"sleep_onset_ms < sleep_ms": "because synapses change from that time on"}

# ---------------------------------------------------------------------- at the beginning of a presentation
_PHASE = "potential = {unit}*(uniform(2) - 0.5)"
AT_REST = (
    Let("input", _PHASE.format(unit="1.0") + "\nimpulse = 0\ntrace = 0\nrate = 0", name="input_at_rest"),
    Let(
        "above input", _PHASE.format(unit="firing_threshold") + "\nimpulse = 0\ntrace = 0\nrate = 0\n"
        "refractory_left = 0\nbasal_input = 0\ncharge = uniform(3) - 0.5\nfeedback_impulse = 0", name="at_rest",
    ),
    Let("post of V", "apical_input = 0", name="apical_at_rest"),
)  # fmt: skip
STIMULUS = Show("input", "drive = stimulus", name="stimulus")
BIAS = Carry("b", "rate", "bias")
ERROR_RATES = (
    Let("top", "feedback_unit = 1/(top_error_rate*time_step_ms)", name="top_feedback_unit"),
    Let("hidden", "feedback_unit = 1/(hidden_error_rate*time_step_ms)", name="hidden_feedback_unit"),
)
ANNEALING = Let(
    "above input",
    "plasticity = exp(-age/annealing_presentations)*time_step_ms/(presentation_ms - feedback_onset_ms)",
    name="plasticity",
)
OWN_RATE = Let("above input", "feedback_unit = 1/(feedback_rate*time_step_ms)", name="feedback_unit")

# ---------------------------------------------------------------------- in each time step
_TRACE = "trace -= trace_part*trace"
_SENT = "impulse = sign(potential)*refractory_ms/time_step_ms"
_KEPT = "trace += trace_part*impulse\nrate += impulse*time_step_ms/presentation_ms"
INPUT = Let("input", f"{_TRACE}\npotential += drive*time_step_ms/refractory_ms", name="input_potential",
            paper=r"$t_{ref}\,\dot u = h^*$")  # fmt: skip
INPUT_SPIKE = Fire("input", f"{_SENT}\npotential -= sign(potential)\n{_KEPT}", event="spike",
                   when="abs(potential) > 0.5", name="input_spike")  # fmt: skip
_TO_DRIVE = (
    "refractory_left -= time_step_ms\npotential = clip(potential, -firing_threshold, firing_threshold)\n"
    "potential += membrane_part*({drive} - potential)"
)
MEMBRANE = Let(
    "above input", f"basal_drive = synapse_part*basal_input + bias\n{_TRACE}\n" + _TO_DRIVE.format(drive="basal_drive"),
    name="membrane", paper=r"$\tau_m \dot u = -u + I + b$",
)  # fmt: skip
DRIVEN = Let("hidden", f"{_TRACE}\n" + _TO_DRIVE.format(drive="drive"), name="driven_membrane",
             paper=r"$\tau_m \dot u = -u + \xi$")  # fmt: skip
SPIKE = Fire(
    "above input", f"{_SENT}\npotential -= sign(potential)*firing_threshold\nrefractory_left = refractory_ms\n{_KEPT}",
    event="spike", when="abs(potential) > firing_threshold and refractory_left <= 0", name="spike",
)  # fmt: skip
FEEDBACK_SPIKE = Fire("above input", "feedback_impulse = sign(charge)*feedback_unit\ncharge -= sign(charge)",
                      event="feedback_spike", when="abs(charge) > 1", name="feedback_spike")  # fmt: skip
SILENT = Let("above input", "impulse = 0", name="no_spike_yet")
ERROR = Let("top", "charge += top_error_rate*time_step_ms*(impulse - target)", name="output_error",
            paper=r"$\dot q = \rho\,(h_L - h_L^*)$")  # fmt: skip
ERROR_PASSED_ON = Let(
    "hidden", "charge += hidden_error_rate*time_step_ms*int(abs(basal_drive) < slope_limit)*synapse_part*apical_input",
    name="error_passed_on", paper=r"$\dot q = \rho\, D A$",
)  # fmt: skip
BASAL_DECAY = Let("above input", "basal_input -= synapse_part*basal_input", name="basal_decay",
                  paper=r"$\tau_s \dot I = -I$")  # fmt: skip
APICAL_DECAY = Let("post of V", "apical_input -= synapse_part*apical_input", name="apical_decay",
                   paper=r"$\tau_s \dot A = -A$")  # fmt: skip
UP = Carry("W", "impulse", "basal_input", on="spike", name="forward_spikes", paper=r"$I \leftarrow I + s W$")
DOWN = Carry("V", "feedback_impulse", "apical_input", on="feedback_spike", name="feedback_spikes",
             paper=r"$A \leftarrow A + s V$")  # fmt: skip

# ---------------------------------------------------------------------- synapses
_AT_ERROR = {"on": "feedback_spike_post"}
_CHANGE = "plasticity_post*feedback_impulse_post"
WEIGHT_UPDATES = (
    *(Learn("W", f"-{place}_learning_rate", f"{_CHANGE}*trace_pre", levels=levels, **_AT_ERROR,
            name=f"{place}_weight_update", paper=r"$\Delta W = -\lambda s x / (\rho (T - t_0))$")
      for place, levels in (("hidden", "1..L-1"), ("top", "L..L"))),
    *(Learn("b", f"-{place}_learning_rate", _CHANGE, levels=levels, **_AT_ERROR, name=f"{place}_bias_update")
      for place, levels in (("hidden", "1..L-1"), ("top", "L..L"))),
)  # fmt: skip
#: V stays, or becomes, the transpose of W: the same product, at the same spike.
TRANSPOSED_UPDATES = tuple(
    Learn("V", f"-{place}_learning_rate", "plasticity_pre*feedback_impulse_pre*trace_post", levels=levels,
          on="feedback_spike_pre", name=f"{place}_transposed_update")
    for place, levels in (("hidden", "1..L-1"), ("top", "L..L"))
)  # fmt: skip
RECIRCULATION = Learn(
    "V", "feedback_learning_rate",
    "plasticity_pre*feedback_impulse_pre*((1 + feedback_damping)*trace_post"
    " - synapse_part*(apical_input_post + midpoint*feedback_impulse_pre*weight))",
    on="feedback_spike_pre", name="feedback_update",
    paper=r"$\Delta V = \eta s [(1 + d) x - A - m s V / (\rho \tau_s)] / (\rho (T_s - T_g))$",
)  # fmt: skip
DECAY = Learn("V", "feedback_learning_rate", "-feedback_damping*sleep_amplitude*sleep_amplitude*annealed_pre*weight",
              name="feedback_decay")  # fmt: skip

# ---------------------------------------------------------------------- phases
_PERCEIVED = (INPUT, INPUT_SPIKE, MEMBRANE, SPIKE)
_STEPS, _BEFORE, _AFTER = (
    f"{time}/time_step_ms + 0.5"
    for time in ("presentation_ms", "feedback_onset_ms", "(presentation_ms - feedback_onset_ms)")
)
EVALUATION = (*AT_REST, STIMULUS, BIAS, Steps(_STEPS, *_PERCEIVED, BASAL_DECAY, UP))


def wake(*more: Learn) -> tuple:
    """Wake: a stimulus goes up and, from the onset on, spikes of the error come down, at which synapses change."""
    return (
        *AT_REST, STIMULUS, BIAS, *ERROR_RATES, ANNEALING,
        Steps(_BEFORE, *_PERCEIVED, BASAL_DECAY, UP),
        Steps(
            _AFTER, _at("top", SILENT), *_PERCEIVED, ERROR, ERROR_PASSED_ON, FEEDBACK_SPIKE, BASAL_DECAY, APICAL_DECAY,
            *WEIGHT_UPDATES, *more, UP, DOWN,
        ),
    )  # fmt: skip


def _at(where, moment):
    """The same moment in fewer places."""
    return replace(moment, where=where)


_SLEEPING = (
    _at("post of V & input", INPUT), _at("post of V & input", INPUT_SPIKE),
    _at("post of V & hidden", DRIVEN), _at("post of V & hidden", SPIKE),
    Let("pre of V", "charge += time_step_ms*(feedback_rate*synapse_part*basal_input - charge/charge_ms)",
        name="recirculated", paper=r"$\dot q = \rho I - q/\tau_q$"),
    _at("pre of V", FEEDBACK_SPIKE), _at("pre of V", BASAL_DECAY), APICAL_DECAY,
)  # fmt: skip
_UP_IN_SLEEP = replace(UP, levels="levels of V")
SLEEP = (
    *AT_REST, OWN_RATE,
    Show("post of V", "drive = sleep_amplitude*noise(0)", name="noise", paper=r"$\xi$"),
    Let("pre of V", "annealed = exp(-age/feedback_annealing_presentations)\n"
        "plasticity = annealed*time_step_ms/(sleep_ms - sleep_onset_ms)", name="sleep_plasticity"),
    Steps("sleep_onset_ms/time_step_ms + 0.5", *_SLEEPING, _UP_IN_SLEEP, DOWN),
    Steps("(sleep_ms - sleep_onset_ms)/time_step_ms + 0.5", *_SLEEPING, RECIRCULATION, _UP_IN_SLEEP, DOWN),
    Repeat("feedback_damping > 0", DECAY),
)  # fmt: skip

#: Feedback cells repeat what forward cells send, so that apical compartments hold what feedback makes of it.
_REPEATED = Let("pre of V", "charge += feedback_rate*time_step_ms*impulse", name="repeated")
_APICAL = Let("post of V", "apical_drive = synapse_part*apical_input", name="apical_drive", paper=r"$A$")
PERCEPTION = (
    *AT_REST, STIMULUS, BIAS, OWN_RATE,
    Steps(_STEPS, SILENT, *_PERCEIVED, _REPEATED, _at("pre of V", FEEDBACK_SPIKE), BASAL_DECAY, APICAL_DECAY,
           UP, DOWN, _APICAL),
)  # fmt: skip
#: The top population's feedback cells send a state; hidden units fire as their apical compartments say, and send on.
RECALL = (
    *AT_REST, OWN_RATE,
    Show("top", "drive = target", name="top_state"),
    Let("top", "rate = target", name="top_rate"),
    Steps(
        _STEPS, _at("hidden", SILENT),
        Let("hidden", f"{_TRACE}\n" + _TO_DRIVE.format(drive="synapse_part*apical_input"), name="apical_membrane"),
        _at("hidden", SPIKE),
        Let("top", "charge += feedback_rate*time_step_ms*drive", name="state_sent"),
        _at("hidden & pre of V", _REPEATED), _at("pre of V", FEEDBACK_SPIKE), APICAL_DECAY, DOWN, _APICAL,
        Let("input & post of V", "rate = apical_drive", name="input_recalled"),
    ),
)  # fmt: skip


def in_spikes(rule: Rule, *, sleeps: bool = False, updates: tuple = ()) -> Rule:
    """A rule of a hierarchy in spikes.

    Parameters
    ----------
    rule : Rule
        Of rates, whose projections and their start it keeps.
    sleeps : bool
        Whether V recirculates in sleep.
    updates : tuple of Learn
        What happens in wake besides the updates of W and of biases.

    Returns
    -------
    rule : Rule
    """
    phases = {"wake": wake(*updates), "evaluation": EVALUATION, "perception": PERCEPTION, "recall": RECALL}
    return replace(
        rule,
        name=f"{rule.name}_{SPIKING.name}",
        phases={**phases, **({"sleep": SLEEP} if sleeps else {})},
        timed={},
        numbers={**NUMBERS, **(SLEEP_NUMBERS if sleeps else {})},
        remembers={},
        recorded=("rate", "apical_drive", "trace"),
        requires=_WAKE_REQUIRES | (_SLEEP_REQUIRES if sleeps else {}),
        dynamics=SPIKING,
        choices={},
        in_spikes=None,
    )
