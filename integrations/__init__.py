"""The doors: vendors, credentials, the pipeline, tasks and alerts."""
