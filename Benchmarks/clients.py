"""Asks Examples/StreamingApp for many texts at once, and prints the tokens per second of all together.

    StreamingApp <run> 8080
    python Benchmarks/clients.py --port 8080 --clients 1000 --words 100
"""

import argparse
import asyncio
import time


async def text(port, words, seed):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /text?words={words}&seed={seed} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    if b"200 OK" not in answer.split(b"\r\n")[0]:
        raise SystemExit(f"client {seed}: {answer[:200]!r}")
    return answer


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--words", type=int, default=100)
    options = parser.parse_args()
    start = time.perf_counter()
    texts = await asyncio.gather(*(text(options.port, options.words, seed) for seed in range(options.clients)))
    seconds = time.perf_counter() - start
    print(f"{len(texts)} texts of {options.words} tokens, {len(set(texts))} different, in {seconds:.2f} s: "
          f"{len(texts) * options.words / seconds:,.0f} tokens/s")


asyncio.run(main())
