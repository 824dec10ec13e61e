"""What Sphinx is told, and which modules have a page."""

from pathlib import Path

from cortex_model import __version__

#: Page -> (title, what it is for, its modules). The first is what one imports from ``cortex_model`` itself.
REFERENCE = {
    "calls": (
        "Runs, sweeps, and a hierarchy in your hands",
        "What `import cortex_model` gives.",
        ("cortex_model", "cortex_model.interactive.cortex", "cortex_model.interactive.projections",
         "cortex_model.interactive.classifier", "cortex_model.errors"),
    ),
    "language": (
        "The language of learning rules",
        "The words in which a rule is declared.",
        ("cortex_model.language", "cortex_model.language.nonlinearities"),
    ),
    "rules": (
        "Learning rules",
        "Every shipped rule: its equations, what is local in it, and its source.",
        ("cortex_model.rules", "cortex_model.rules.hierarchy", "cortex_model.rules.backpropagation",
         "cortex_model.rules.ben_israel", "cortex_model.rules.direct_feedback",
         "cortex_model.rules.exact_pseudoinverse", "cortex_model.rules.hinton_mcclelland",
         "cortex_model.rules.kolen_pollack", "cortex_model.rules.random_feedback", "cortex_model.rules.reciprocal",
         "cortex_model.rules.weight_mirror"),
    ),
    "parameters": (
        "Models of parameters",
        "Models of parameters, for protocols of your own; the values are on the page of parameters.",
        ("cortex_model.parameters", "cortex_model.parameters.sleep_wake", "cortex_model.parameters.data",
         "cortex_model.weights"),
    ),
    "theory": ("Theory", "The paper in NumPy, equation by equation.", ("cortex_model.theory",)),
    "protocols": (
        "Protocols and run directories",
        "What a protocol is given, and what it leaves.",
        ("cortex_model.runs.protocol", "cortex_model.runs.run", "cortex_model.runs.directory",
         "cortex_model.schedule"),
    ),
    "network": (
        "Network and devices",
        "Brian2 objects made from a declaration, and what runs them.",
        ("cortex_model.network.hierarchy", "cortex_model.network.objects", "cortex_model.devices.simulation",
         "cortex_model.devices.dense"),
    ),
    "traces": ("Perception, recall and spikes", "Every population in time.", ("cortex_model.traces",)),
    "data": (
        "Stimuli and recordings",
        "Datasets, recordings of cortex, and your own.",
        ("cortex_model.datasets", "cortex_model.datasets.images", "cortex_model.datasets.recordings",
         "cortex_model.datasets.recording_files", "cortex_model.datasets.own_data"),
    ),
    "analysis": (
        "Analysis",
        "Numbers from weights, rates and runs.",
        ("cortex_model.analysis.alignment", "cortex_model.analysis.update_directions",
         "cortex_model.analysis.learning_curves", "cortex_model.analysis.decoding", "cortex_model.analysis.recall",
         "cortex_model.analysis.spike_trains", "cortex_model.analysis.tuning", "cortex_model.analysis.rsa",
         "cortex_model.analysis.predictivity", "cortex_model.analysis.comparison", "cortex_model.experiments.comparing",
         "cortex_model.experiments.checking"),
    ),
}  # fmt: skip

#: Modules whose classes are shown with what they inherit.
WHOLE = ("cortex_model.interactive.cortex", "cortex_model.interactive.classifier")

#: Configuration of Sphinx.
SETTINGS = {
    "project": "cortex-model",
    "copyright": "the authors of cortex-model",
    "version": __version__,
    "release": __version__,
    "root_doc": "index",
    "extensions": [
        "sphinx.ext.autodoc", "numpydoc", "myst_nb", "cortex_model.site.docstrings", "cortex_model.site.mathml",
    ],
    "default_role": "py:obj",
    "html_theme": "furo",
    "html_math_renderer": "mathml",
    "html_static_path": [str(Path(__file__).with_name("site.css"))],
    "html_css_files": ["site.css"],
    "html_title": f"cortex-model {__version__}",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "none",
    "autodoc_default_options": {"members": True, "undoc-members": False, "no-value": True},
    "numpydoc_show_class_members": False,
    "autosummary_generate": False,
    "myst_enable_extensions": ["dollarmath"],
    "myst_heading_anchors": 4,
    "nb_execution_mode": "off",
}  # fmt: skip
