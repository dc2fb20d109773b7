"""What a template says to somebody who runs it on this machine, without deploying; pure."""
