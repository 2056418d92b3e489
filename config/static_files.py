"""How the collected static files are kept: under names that change with their contents, imports between modules too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """A module that imports another one names it by its hashed name, so that no browser mixes two versions."""

    support_js_module_import_aggregation = True
