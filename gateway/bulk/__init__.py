"""How does usage come over HTTP in bulk: received piece by piece, staged, signed and committed?"""
