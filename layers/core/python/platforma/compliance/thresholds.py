"""What evidence is measured by. Strengths are named here, and each report tells them as `expected`."""

from datetime import timedelta

DORMANT = timedelta(days=90)
"""Whoever or whatever was not active for so long is dormant; the hot index of the log reaches as far back."""
SECRET_AGE = timedelta(days=365)
"""The age at which a key or client secret is to have been rotated."""
TENANT_KEY_AGE = timedelta(days=365)
SIGNING_KEY_AGE = timedelta(days=92)
"""They are rotated after 90; two days are given to a schedule that stood still."""
REVIEWED = timedelta(days=92)
"""A quarter: how old the last access review may be."""
CHECKPOINT_AGE = timedelta(minutes=25)
"""Twice the time between heartbeats, and a run's length."""
SIGN_INS_OF = timedelta(hours=24)
FAILED_AT_ONE_ACCOUNT = 50
COUNTED_FOR = timedelta(seconds=5)
"""How long failed sign-ins are counted, whatever time the rest took: some tens of thousands of them."""
COMPLETENESS_OF = timedelta(days=7)
CERTIFIED = timedelta(days=3)
"""How long an endpoint's certificate is to be good at least: it is renewed at two thirds of its life."""
RECOVERY_DAYS = 35
LOCK_YEARS = 2

MOST_PEOPLE = 5_000
MOST_CREDENTIALS = 5_000
AT_MOST = timedelta(seconds=8)
"""
Bounds of what a piece of evidence may look at, and of how long a report goes on beginning to look: beyond them evidence says
that it did not see all. One look takes some seconds more, and a gateway waits for 29.
"""
