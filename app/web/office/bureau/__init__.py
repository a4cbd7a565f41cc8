"""What the two bureaus do at their pages: their registers come in, and they give their word on cases."""
