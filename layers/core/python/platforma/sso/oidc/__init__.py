"""OpenID Connect relying party: pure steps over parsed messages, and calls to the provider through ports."""
