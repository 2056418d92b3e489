"""The core: events, rules, accounts, entries and postings. It imports nothing of ours."""
