"""Layer 4: releasing a function. Observe, plan, execute, roll out, watch, roll back; Lambda only through boto3."""
