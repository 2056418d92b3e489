"""People and their roles: the pages of users and groups, and what is done there. A person's role is a group."""
