"""Load on a service of this machine: serve_load.py ADDRESS PICTURE SECONDS CONNECTIONS [PID].

So many clients post the picture again and again, each as soon as it has its answer, also after a 429. Prints answers by status, answers a
second, and how long those with 200 took. With the process of the service, also its resident memory before the load, every ten
seconds, and two seconds after it. ADDRESS must be on the loopback interface.
"""

import asyncio
import collections
import ipaddress
import sys
import time
from pathlib import Path
from urllib.parse import urlparse

place = urlparse(sys.argv[1])
assert ipaddress.ip_address(place.hostname).is_loopback, "only services of this machine"
picture, seconds, connections = Path(sys.argv[2]).read_bytes(), min(float(sys.argv[3]), 600), min(int(sys.argv[4]), 1024)
request = (
    f"POST /v1/predict HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
).encode() + picture
process = Path("/proc", sys.argv[5], "status") if len(sys.argv) > 5 else None
statuses, took, memory = collections.Counter(), [], []


def weigh(second):
    if process:
        kilobytes = next(line.split()[1] for line in process.read_text().splitlines() if line.startswith("VmRSS"))
        memory.append(f"{int(kilobytes) / 1000:.1f} MB at {second} s")


async def client(end):
    reader = writer = None
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(request)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            await reader.readexactly(length)
            status = int(head.split()[1])
        except (OSError, asyncio.IncompleteReadError, IndexError) as error:
            status, writer = type(error).__name__, None
        statuses[status] += 1
        if status == 200:
            took.append(time.monotonic() - begun)
    if writer:
        writer.close()


async def scales(begun):
    for second in [*range(0, int(seconds), 10), int(seconds), int(seconds) + 2]:
        await asyncio.sleep(max(0, begun + second - time.monotonic()))
        weigh(second)


async def main():
    begun = time.monotonic()
    end = begun + seconds
    weighing = asyncio.create_task(scales(begun))
    await asyncio.gather(*(client(end) for _ in range(connections)))
    await weighing


asyncio.run(main())
took.sort()
quantile = lambda share: 1000 * took[min(len(took) - 1, int(share * len(took)))] if took else float("nan")
print("answers by status:", dict(statuses))
if memory:
    print("memory of the service:", ", ".join(memory))
print(f"pictures a second: {statuses[200] / seconds:.1f}")
print(f"ms of those with 200: p50 {quantile(0.5):.0f}, p95 {quantile(0.95):.0f}, p99 {quantile(0.99):.0f}, longest {quantile(1):.0f}")
