"""A department's list of helped people. `layout` keeps how it writes; `check` judges its file, and nothing counts yet;
`judge` says what the register knows of a row; `take` takes the good rows in and has paid money asked back; `live` leads
each failed row to its end; `lists` shows lists and rows; `back` gives the failed ones back as a file; `watch` wakes
somebody for rows that wait too long. What a department owes for its people, `bills` draws up from the book and shows,
`bill_papers` gives as a sheet and a demand note. `jobs` is what the office process does for who asked at a page."""
