"""What the two bureaus do at their pages: their registers and the police's lists come in, they give their word on
cases, decide what offices contradict each other about, and find who paid elsewhere."""
