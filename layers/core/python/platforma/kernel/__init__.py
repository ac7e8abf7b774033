"""What every area speaks: errors, events, ids, time and tenancy. Standard library only."""
