"""Usage in bulk over HTTP: uploads that can be resumed, and the jobs that read them."""
