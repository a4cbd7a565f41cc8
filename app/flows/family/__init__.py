"""For whom an account pays. `people` brings somebody in by name and number and lets him go; `holders` shows each person
who else pays for him; `correct_phone` puts the registered phone right, which says whose he is."""
