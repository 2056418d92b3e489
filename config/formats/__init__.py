"""How dates and times are written, in one place: Django looks here because of FORMAT_MODULE_PATH."""
