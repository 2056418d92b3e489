"""What the shell shows in the admin: people and their roles."""

from config.people import roles_page, users

__all__ = ["roles_page", "users"]
