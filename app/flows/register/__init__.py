"""Who is insured. `district` makes places known; `import_roster` takes the bureaus' file in, its rows read by
`read_rows`, and `look_first` tries one that was handed in at a page; `correct_name` puts a name right; somebody reads
in `offers` what he may `apply` for, the bureaus see it at their `desk` and `determine` what only they can, and
`announce` tells him; `check_year` says what a levy year needs and `open_year` begins and ends it."""
