"""The pages of a resident, on a phone: the way in, what is due, the way to pay, money back."""
