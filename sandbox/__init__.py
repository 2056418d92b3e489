"""Pretend vendors over real HTTP: for the demo and the tests, never for production.

Written from the vendors' documentation alone. Imports no room of the product, and no room imports it.
"""
