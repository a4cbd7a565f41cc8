"""What the two bureaus do at their pages: their registers and the police's lists come in, they give their word on
cases, and decide what offices contradict each other about."""
