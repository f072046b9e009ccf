"""Usage in bulk over HTTP: intakes that can be resumed, and the jobs that read them."""
