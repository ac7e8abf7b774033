"""The security system of PLATFORMA: who are you, may you do this, who can read it, what happened."""
