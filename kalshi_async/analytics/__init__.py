"""What the prices of markets say, exactly: fees, sizes, tickers, arbitrage, trends.

* ``prices``: cents, dollars, probabilities; complements; the grids that prices lie on
* ``fees``: the formula, what is really charged, what a position costs and can pay
* ``schedules``: which fees hold in a market
* ``tickers``: what a ticker says
* ``sizing``: how much to bet (Kelly), within the book, the grid and the bankroll
* ``arbitrage``: orders in one event that pay more than they cost whatever happens, if all fill
* ``quotes``: markets of several venues in one form
* ``trend``: what candlesticks and trades tell

Money, prices and counts are exact ``Decimal``; a float for one of them is an error. Nothing here
waits or sends anything, except ``schedules.FeeSchedules``, which asks the exchange.
"""

from . import arbitrage, fees, prices, quotes, schedules, sizing, tickers, trend

__all__ = ["arbitrage", "fees", "prices", "quotes", "schedules", "sizing", "tickers", "trend"]
