"""The WebSocket: commands, subscriptions, messages, and sending them."""
