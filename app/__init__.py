"""People, insurance rules, flows and web pages. create_app is the only place where the parts are joined."""
