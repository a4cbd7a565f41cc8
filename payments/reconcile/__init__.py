"""Others' books against ours: statements kept, lines compared, differences ended, files of bank, treasury and
bureaus."""
