"""What people ask for by another name, and what is not offered: one table, so that no request is guessed at.

A parameter that is unknown, or a value that is none of its choices, is looked up here. A synonym is pointed to and not
understood, because whatever decides a result has one name in a run directory.
"""

import difflib
import re
from collections.abc import Iterable

from cortex_model.rules import shipped

#: What is meant -> the words that people use for it: a parameter, or ``parameter=value``.
SYNONYMS = {
    "learning_rate": (
        "lr alpha lambda step_size stepsize wake_learning_rate forward_learning_rate learning_rate_forward"
    ),
    "learning_rate (in wake) or sleep_learning_rate (in sleep)": "eta",
    "sleep_learning_rate": "learning_rate_feedback lr_feedback lr_fb sleep_lr eta_sleep",
    "forward_sleep_learning_rate": "eta_f forward_sleep_lr",
    "layer_sizes": (
        "hidden hidden_size hidden_sizes hidden_units hidden_layers hidden_dim layers layer_size sizes arch"
        " architecture n_hidden n_neurons neurons units width widths depth n_layers num_layers"
    ),
    "epochs": "n_epochs num_epochs epoch nepochs max_epochs n_epoch iterations n_iterations n_iter",
    "batch_size": "batch batchsize minibatch mini_batch minibatch_size n_batch bs",
    "nonlinearity": "activation activation_function act_fn transfer_function phi sigma f_i_curve",
    "top": "output output_activation readout loss loss_function cost criterion objective",
    "biases": "bias use_bias with_bias",
    "dtype": "precision float_type default_float_dtype",
    "dataset": "data data_set task images",
    "learning_rule": "rule sleep_rule algorithm plasticity method credit_assignment feedback training",
    "initial_weights": "init initialization initialisation weight_init initialiser initializer init_weights",
    "initial_feedback_scale": "feedback_scale init_scale feedback_init",
    "damping": "tikhonov ridge",
    "noise_distribution": "noise noise_type",
    "sleep_per_wake": "sleep_ratio sleep_wake_ratio sleep",
    "sleep_before_presentations": "pretraining presleep sleep_first",
    "evaluate_every_presentations": "eval_every evaluate_every test_every",
    "validation_images": "validation val_size validation_size n_validation",
    "stimulus_scaling": "scaling normalisation normalization normalize normalise standardize standardise",
    "time_constant_ms": "tau tau_ms time_constant tau_m",
    "time_step_ms": "dt timestep time_step dt_ms",
    "presentation_ms": "duration t_stim presentation_time stimulus_ms",
    "forward_delay_ms": "delay delays delay_ms forward_delay",
    "feedback_delay_ms": "feedback_delay",
    "relative_learning_rates": "learning_rates layer_learning_rates per_layer_learning_rates frozen freeze trainable",
    "interventions": "intervention lesion lesions ablation ablate silence shuffle perturbation",
    "record": "recordings recorded monitors monitor save_weights log_weights",
    "--seed N": "seed random_seed rng_seed rng",
    "--seeds N of `sweep`": "seeds n_seeds num_seeds",
    "--device cpp_standalone": "device cpp c++ compiled",
    "--device runtime": "cpu numpy_device",
    "--out DIR": "out out_dir output_dir outdir save_dir logdir folder",
    "--ensemble-size N": "ensemble ensemble_size n_networks",
    "nonlinearity=threshold_linear": "relu rectified rectified_linear rectifier half_wave thresholdlinear re_lu",
    "nonlinearity=sigmoid": "logistic expit",
    "nonlinearity=linear": "identity",
    "nonlinearity=softplus": "soft_plus",
    "nonlinearity=tanh": "hyperbolic_tangent",
    "top=softmax": "cross_entropy crossentropy ce categorical nll argmax",
    "top=linear": "mse mean_squared_error squared_error l2_loss",
    "initial_weights=gaussian": "normal xavier glorot lecun randn",
    "initial_weights=he": "kaiming kaiming_normal he_normal",
    "initial_weights=orthogonal": "orthonormal",
    "noise_distribution=gaussian": "white normal_noise",
    "noise_distribution=rademacher": "binary signs",
    "dtype=float32": "float single f32 fp32 float_32",
    "dtype=float64": "double f64 fp64 float_64",
    "dynamics=leaky": "ode continuous continuous_time leaky_integrator rate_dynamics in_time",
    "dynamics=spiking": "spikes spike snn lif integrate_and_fire leaky_integrate_and_fire",
    "firing_threshold": "v_threshold v_thresh threshold theta",
    "refractory_ms": "refractory t_ref refractory_period",
    "dynamics=settled": "static instantaneous discrete steady_state equilibrium",
    "dataset=fashion_mnist": "fashion fmnist fashionmnist",
    "dataset=cifar10": "cifar cifar_10",
    "codegen_target=cython": "cython",
    "codegen_target=numpy": "numpy",
}

#: What is not offered -> (what is nearest, the words that people use for it).
NOT_OFFERED = {
    "other models of spiking neurons": (
        "forward cells are leaky integrate-and-fire ones; the nearest is dynamics=spiking",
        "izhikevich hodgkin_huxley adex poisson stdp",
    ),
    "convolution": (
        "projections are all to all; the nearest is layer_sizes with wide populations",
        "convolution convolutional conv conv1d conv2d cnn convnet kernel kernel_size stride padding pooling"
        " max_pool maxpool filters channels n_channels receptive_field locally_connected retinotopy",
    ),
    "sparse connections": (
        "projections are all to all; the nearest is layer_sizes",
        "sparse sparsity sparseness connection_probability p_connect connectivity connection_density density"
        " fan_in pruning prune mask topology",
    ),
    "recurrent or lateral connections": (
        "a hierarchy has forward and feedback projections alone; the nearest is the protocol hippocampal_replay, whose"
        " CA3 has recurrent synapses",
        "recurrent recurrence rnn lstm gru lateral lateral_inhibition lateral_connections recurrent_weights skip"
        " skip_connections residual resnet shortcut hopfield reservoir",
    ),
    "Dale's law": (
        "a neuron's synapses have either sign; the nearest is nonlinearity=threshold_linear, whose rates have one sign",
        "dale dales_law dale_law dales excitatory inhibitory excitation inhibition ei e_i ei_ratio ei_balance"
        " interneurons positive_weights nonnegative",
    ),
    "momentum": (
        "every step is a plain one; the nearest is batch_size, which averages over stimuli, with its learning_rate",
        "momentum nesterov beta1 beta2 betas beta momentum_rate",
    ),
    "an optimiser": (
        "every step is a plain one; the nearest is learning_rate with batch_size",
        "adam adamw adamax nadam rmsprop adagrad adadelta sgd lbfgs optimizer optimiser optim solver"
        " natural_gradient kfac newton",
    ),
    "a schedule of the learning rate": (
        "it stays as it is given; the nearest is learning_rate",
        "lr_schedule learning_rate_schedule scheduler lr_decay learning_rate_decay warmup warmup_steps annealing"
        " cosine gamma step_lr",
    ),
    "weight decay in general": (
        "the nearest is damping, with which weights decay in sleep, or a learning rule whose weights lose weight_decay",
        "l1 l2 l2_reg regularization regularisation regularizer reg weight_regularization decay wd lasso"
        " elastic_net max_norm homeostasis synaptic_scaling",
    ),
    "dropout": (
        "every neuron takes part; the nearest is a narrower population in layer_sizes",
        "dropout drop_rate p_drop keep_prob dropconnect stochastic_depth",
    ),
    "normalisation": (
        "the nearest is presynaptic_normalisation=true, or stimulus_scaling=standardised for the input",
        "batch_norm batchnorm bn batch_normalization batch_normalisation layer_norm layernorm group_norm"
        " instance_norm weight_norm divisive_normalization divisive_normalisation",
    ),
    "attention": (
        "the nearest is feedback in time, dynamics=leaky",
        "attention self_attention transformer multi_head n_heads heads vit bert gpt attention_gain",
    ),
    "a learning rule of others": (
        "declare it in a Python file that learning_rule names (protocols/README.md says how)",
        "hebbian hebb oja bcm contrastive_hebbian chl equilibrium_propagation eqprop ep"
        " dttp lra burstprop burst"
        " dendritic_error forward_forward ff reinforce reinforcement reward dopamine eprop e_prop sign_symmetry"
        " usf brsf local_loss three_factor deep_feedback_control dfc synthetic_gradients",
    ),
    "a nonlinearity": (
        "the nearest is nonlinearity=threshold_linear or softplus",
        "gelu elu selu silu swish mish leaky_relu leakyrelu prelu hard_tanh hardtanh heaviside maxout exp erf",
    ),
    "augmentation of images": (
        "images are shown as they are; the nearest is stimulus_scaling",
        "augmentation augment data_augmentation crop flip jitter mixup cutout",
    ),
    "early stopping": (
        "a run lasts as many epochs as it is given; the nearest is epochs with validation_images",
        "early_stopping patience early_stop",
    ),
    "clipping": (
        "the nearest is a lower learning_rate",
        "clip clipping grad_clip gradient_clipping clip_norm max_grad_norm w_max wmax w_min weight_bound",
    ),
    "half or quantised precision": (
        "the nearest is dtype=float32; feedback_levels rounds the feedback weights alone",
        "float16 half fp16 bfloat16 bf16 int8 amp mixed_precision quantization quantisation quantized float128"
        " longdouble",
    ),
    "a simulator": (
        "Brian2 simulates; the nearest is --device cpp_standalone, the fastest on a processor",
        "jax torch pytorch tensorflow tf keras xla jit mlx nengo genn brian2genn backend",
    ),
    "a GPU": (
        "the nearest is --device cuda_standalone, where `cortex-model devices` says that it can run",
        "gpu cuda cuda0 gpus cuda:0 gpu:0 n_gpus num_gpus use_gpu use_cuda rocm mps metal tpu accelerator nvidia",
    ),
    "one run on several workers": (
        "the nearest is `cortex-model sweep --workers N`, which makes runs side by side",
        "workers n_workers num_workers n_jobs threads n_threads num_threads openmp mpi parallel distributed",
    ),
    "a dataset": (
        "the nearest are dataset=digits, mnist, fashion_mnist and cifar10, or a protocol of your own with your images",
        "imagenet cifar100 svhn stl10 emnist kmnist omniglot tinyimagenet tiny_imagenet celeba coco shd nmnist iris",
    ),
}


def _by_word(table):
    """Each word of a table -> its entry; a word stands once."""
    entries = [(word, entry) for entry, words in table.items() for word in words.split()]
    return dict(entries)


SYNONYMS |= {f"learning_rule={name}": rule.also_called for name, rule in shipped().items()}
_MEANT = _by_word(SYNONYMS)
_REFUSED = _by_word({(what, nearest): words for what, (nearest, words) in NOT_OFFERED.items()})
#: How alike a name must be to be taken for a misspelt one: before, and after, its parts are looked up.
MISSPELT, SIMILAR = 0.8, 0.5


def advice(asked: object, known: Iterable[str] = (), parameter: str = "") -> str:
    """What is meant by a word that is no parameter, or no value of one, or what is nearest to it.

    Parameters
    ----------
    asked : object
        The word; what is no text has no advice.
    known : iterable of str
        The names that are valid in its place.
    parameter : str
        Where a value was asked for: of which parameter.

    Returns
    -------
    advice : str
        The end of a sentence, or an empty text where nothing is known of the word.
    """
    if not isinstance(asked, str) or not (asked := _in_words(asked)):
        return ""
    names = {_in_words(name): name for name in known}
    meant = _MEANT.get(asked, "").removeprefix(f"{parameter}=")
    if asked in names:
        return f"did you mean {names[asked]!r}?"
    if meant and (parameter or not meant[0].isalpha() or re.match(r"\w+", meant)[0] in names):
        return f"did you mean {meant}?" if " " in meant else f"did you mean {meant!r}?"
    close = _close(asked, names, SIMILAR)
    is_misspelt = close and difflib.SequenceMatcher(None, asked, _in_words(close)).ratio() >= MISSPELT
    for part in (asked,) if is_misspelt else (asked, *asked.split("_")):
        if refused := not_offered(part):
            return refused
    return f"did you mean {close!r}?" if close else ""


def not_offered(asked: object) -> str:
    """What is said of a word that means something that is not offered; an empty text for any other."""
    if not isinstance(asked, str) or _in_words(asked) not in _REFUSED:
        return ""
    what, nearest = _REFUSED[_in_words(asked)]
    named = "" if _in_words(asked) == _in_words(what) else f" ({what})"
    return f"{asked.strip()!r} is not offered{named}: {nearest}."


def _in_words(text):
    """A name as the tables have it: lower case, words joined by underscores."""
    return "_".join(text.lower().replace("-", " ").replace("_", " ").replace("'", "").split())


def _close(asked, names, cutoff):
    nearest = difflib.get_close_matches(asked, names, n=1, cutoff=cutoff)
    return names[nearest[0]] if nearest else ""
