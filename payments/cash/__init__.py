"""Cash in villages: special receipts out of books, what each agent holds, how it leaves his hands (decision 0061)."""
