"""The sandbox's Heartland Retail: its API, its authorization page, its till, the control paths of tests."""

from sandbox.heartland_retail.app import RetailApp, make_app, make_control

__all__ = ["RetailApp", "make_app", "make_control"]
