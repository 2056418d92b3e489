"""The demo: the whole product against the sandbox, from an empty installation to entries that agree with the till."""
