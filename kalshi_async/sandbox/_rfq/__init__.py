"""Trades that two parties agree on: requests for quotes, batches, block trades."""
