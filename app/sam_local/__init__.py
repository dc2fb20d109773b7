"""SAM CLI's local verbs: functions and APIs run straight from a template, on a runtime of the command's own."""
