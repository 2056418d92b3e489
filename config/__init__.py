"""The shell: it only connects things that exist."""
