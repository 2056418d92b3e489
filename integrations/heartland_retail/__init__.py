"""Heartland Retail, the point of sale: the source of documents. Written from the vendor's public contract."""
