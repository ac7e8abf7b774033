"""What can be wrong with a log, or with what is to enter one."""

from platforma.kernel.errors import Broken, Conflict, TooLarge


class EventTooLarge(TooLarge):
    """As an entry of the log the event would be over 32 KiB."""

    code = "event_too_large"
    public = "The request's audit event would be too large."


class AlreadyEntered(Conflict):
    """This very event was entered before: whoever sends it again has nothing to do."""

    code = "already_entered"
    public = "This event was recorded before."


class AnotherEvent(Conflict):
    """The id was used before, for an event that says something else."""

    code = "event_differs"
    public = "Another event has this id."


class LogBroken(Broken):
    """A log is not what its own records say: an object, a hash or a pending event is not the one that was committed to."""


class WrittenBefore(Conflict):
    """An object of this name exists; the bucket keeps what it has."""
