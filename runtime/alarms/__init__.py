"""CloudWatch alarms on the metrics of this server: kept, evaluated on time, and acted on."""
