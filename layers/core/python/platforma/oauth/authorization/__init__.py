"""Authorization requests: checked, kept, answered with a code."""
