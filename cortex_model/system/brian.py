"""How Brian2 is loaded here: without the files that it would leave in the temporary folder, and without last words."""

import importlib.util
import sys
from importlib.abc import MetaPathFinder

LOGGER = "brian2.utils.logger"


class _LoggerFinder(MetaPathFinder):
    """Finds the one module that decides about them, and changes what it decides before it is asked."""

    def find_spec(self, name, path=None, target=None):
        if name != LOGGER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_change(module):
            load(module)
            module.prefs.logging.file_log = module.prefs.logging.save_script = False
            module.brian_excepthook = sys.excepthook

        spec.loader.exec_module = load_and_change
        return spec


def load_without_files() -> None:
    """Let Brian2, when it is loaded, keep neither a log nor a copy of the script, nor say how errors are reported.

    It would leave both in the temporary folder when a process is killed. Preference files of Brian2 can ask for them
    all the same. Where Brian2 is loaded already, its log stays, but an error is shown as Python shows it: whose it is,
    it says itself.
    """
    loaded = sys.modules.get(LOGGER)
    if loaded and sys.excepthook is getattr(loaded, "brian_excepthook", None):
        sys.excepthook = sys.__excepthook__
    if not loaded and not any(isinstance(finder, _LoggerFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LoggerFinder())
