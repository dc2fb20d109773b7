"""What happens in an environment, told to its log and to extensions that subscribed (the Telemetry API)."""
