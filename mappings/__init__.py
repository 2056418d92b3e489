"""The dictionary: which account of this book a line by role goes to."""
