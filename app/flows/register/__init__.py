"""Who is insured. `district` makes places known; `import_roster` takes the bureaus' file in, its rows read by
`read_rows`. A bureau's page has what it `handed_in`: `look_first` tries the file,
`what_it_does` says what that does to what is due, `take_in` takes it. `correct_name` puts a name right; somebody reads
in `offers` what he may `apply` for, the bureaus see it at their `desk` and `determine` what only they can, and
`announce` tells him; `check_year` says what a levy year needs and `open_year` begins and ends it."""
