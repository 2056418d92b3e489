"""The pages behind Integrations and the buttons that order work, by subject. They ask, wake a worker, and answer."""
