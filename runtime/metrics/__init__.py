"""CloudWatch metrics of the functions that ran here."""
