"""The REST API under /api/v1/: what programs read and order, with the permissions and stores of the screens."""
