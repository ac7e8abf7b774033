"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0): clients are told when a sign-in that they know of ends."""

from platforma.oauth.backchannel.deliver import deliver_logout, find_late_logouts
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.backchannel.ports import LogoutQueue, Logouts, Post

__all__ = ["Logout", "LogoutQueue", "Logouts", "Post", "deliver_logout", "find_late_logouts"]
