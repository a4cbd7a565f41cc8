"""What stands at every door: who may come in, tokens of forms, how much at once, what an error looks like."""
