"""Vault's configuration as files, and the command that applies them."""
