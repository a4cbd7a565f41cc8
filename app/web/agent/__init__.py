"""The pages of a village agent: his list, one household, one code for all of it; slips and doors to knock at."""
