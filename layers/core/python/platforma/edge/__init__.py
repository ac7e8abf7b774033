"""Lambda events in, answers out: routing, authentication, decisions, problems, and the audit of every request."""
