"""How long does a caller wait for the answer to a small post? Many callers at a steady pace, each on a connection kept.

`python -m scripts.bench.callers HOST:PORT AUTHORIZATION PATH POSTS A_SECOND CALLERS` with the body as its input. Posts
are due at their times whether or not the ones before were answered, and each is counted from when it was due. Says for
each post its milliseconds and the second of its answer, as JSON.
"""

import http.client
import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HEAD_START_SECONDS = 0.3


def main(netloc: str, token: str, path: str, posts: int, a_second: int, callers: int) -> None:
    """All of them; raises AssertionError for a post that is refused."""
    body = sys.stdin.buffer.read()
    headers = {"Authorization": token, "Content-Type": "application/x-ndjson", "Upload-Complete": "?1"}
    begin = time.perf_counter() + HEAD_START_SECONDS

    def call(first: int) -> list[tuple[float, float]]:
        connection = http.client.HTTPConnection(netloc, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told = []
        for number in range(first, posts, callers):
            due = begin + number / a_second
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 201, said
            now = time.perf_counter()
            told.append(((now - due) * 1000, now - begin))
        connection.close()
        return told

    with ThreadPoolExecutor(callers) as pool:
        json.dump([each for told in pool.map(call, range(callers)) for each in told], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
