"""What `make stack` starts: the services of deploy/compose, as processes."""
