"""Commands of the core, for who looks after it."""
