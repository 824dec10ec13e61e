"""The documentation as a site of static pages, and the tutorial that is a notebook."""
