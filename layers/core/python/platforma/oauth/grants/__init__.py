"""Grants and their families of refresh tokens."""
