"""Measurements of kalshi_async against a floor and against its peers; see README.md."""
