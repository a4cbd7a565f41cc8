"""All that is true of money whatever it is paid for.

bill        one levy item, owed, with frozen lines: who pays which part into which fund
payment     one attempt at a gateway; covers one or several bills of a household, all or none
outcome     what a gateway said about a payment
settle      an outcome applied once: state moved, booked, or put aside with a named doubt
entry       one balanced set of postings in the book, with its cause; never changed
"""
