"""Who is insured. `district` makes places known; `import_roster` takes the bureaus' file in; `correct_name` puts a name
right; `determine` has the bureaus decide what only they can; `check_year` says what a levy year needs and `open_year`
begins and ends it."""
