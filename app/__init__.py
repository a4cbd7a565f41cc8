"""People, insurance rules, flows and web pages."""
