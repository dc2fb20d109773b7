"""Layer 2: the ledger and the records, the truth about every execution and release. Knows tables, decides nothing."""
