"""What templates need of the core: amounts and states in words."""
