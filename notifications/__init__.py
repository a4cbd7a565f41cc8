"""Telling people: given words and numbers, never an object of ours."""
