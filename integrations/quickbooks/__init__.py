"""QuickBooks Online: its wire format, its words and codes. Nothing of it is known outside this folder."""
