"""The only writer of events, postings, entries, lines and attempts.

`recording` takes facts in, `booking` turns them into sealed entries, `delivery` claims and marks what is sent,
`orders` holds what people decide. Each function is one short transaction; none of them calls out of the house.
"""
