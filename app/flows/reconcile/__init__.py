"""Every fen against others' books. `fetch_statement` a gateway's list; `compare` line by line; `settle_pos` and
`import_outside` files of terminals, bank, treasury, bureaus; `clear_difference` ends one; `close_day` and `certify` a
day."""
