"""SCIM 2.0: an identity provider's directory keeps our users and groups (RFC 7643, RFC 7644)."""
