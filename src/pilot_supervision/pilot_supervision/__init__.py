"""Modes, driver engagement, takeover, minimum-risk manoeuvre, health."""
