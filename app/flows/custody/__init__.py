"""Cash in villages (decision 0061), the last choice. Tax gives a village a book of special receipts (`books`), the town
switches cash on for a day (`switch`), the agent takes it and gives a receipt for each item (`take`) or voids one
(`void`), what each holds and since when is counted (`hand`), he takes it to the bank (`remit`), each receipt is a
`paper` that anybody can check, and what lies too long wakes somebody (`watch`)."""
