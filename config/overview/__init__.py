"""The first page: how each book stands, the money, what needs a person, the last 30 days, the next step of a set-up.

`page` puts it together; `sums` reads the summary rows, and of the postings only what was set aside; `books`, `stores`,
`money`, `chart`, `causes` and `path` make of them what each part shows.
"""
