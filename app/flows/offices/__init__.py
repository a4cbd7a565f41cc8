"""What offices look at. `people` finds somebody, with the `notices` of his house; `progress` how far each village has
come; `trace` the path of one yuan; `audit` who looked at whom; `rights` who might do what on a day; `glass` is broken
by two, for an hour, seen by the auditor; `handed` gives back a file that was handed in."""
