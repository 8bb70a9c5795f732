"""What the prices of markets say: exact fees, sizes, tickers, arbitrage. Pure: nothing here talks
to an exchange.
"""
