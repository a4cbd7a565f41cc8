"""Figures, as ratios to a limit measured in the same run. `flask --app wsgi bench run [NAME]`."""
