"""A hierarchy in one's hands: in a notebook, a script, or scikit-learn."""
