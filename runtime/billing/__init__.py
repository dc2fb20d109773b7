"""What functions would have cost on AWS: usage counted by the minute, a price model, a report."""
