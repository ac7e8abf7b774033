"""Keys: envelope encryption under tenants' keys, token signing keys, peppers, and secrets that are only ever verified."""
