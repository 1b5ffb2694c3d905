"""Housewright lab: a small Kafka broker for many network namespaces, and a producer for any broker.

serve NAMESPACE...   runs librdkafka's mock cluster, which listens on a loopback port of its own choice and names that
                     port to its clients. In every given namespace the same port and port 9092 of 127.0.0.1 are relayed
                     to it, so all namespaces share one cluster.
produce BROKER TOPIC sends each line of standard input as one message, and prints how many the broker acknowledged.
"""

import asyncio
import ctypes
import os
import socket
import sys

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

CLONE_NEWNET = 0x40000000
PARTITIONS = 4


def listeners(namespace, ports):
    """Sockets keep the network namespace in which they were made."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        made = []
        for port in ports:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(64)
            made.append(listener)
        return made
    finally:
        if libc.setns(home, CLONE_NEWNET):
            os._exit(1)
        os.close(there)
        os.close(home)


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(namespaces):
    cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 4})
    port = next(iter(cluster.list_topics(timeout=10).brokers.values())).port

    async def relay(reader, writer):
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    servers = []
    for namespace in namespaces:
        for listener in listeners(namespace, [9092, port]):
            servers.append(await asyncio.start_server(relay, sock=listener))
    print(f"ready: mock cluster at port {port}, relayed to {len(namespaces)} namespaces", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def produce(broker, topic):
    settings = {"bootstrap.servers": broker, "log_level": 3}
    admin = AdminClient(settings)  # kept: a client that goes away takes the answers along, and nobody wakes who waits
    try:
        if topic not in admin.list_topics(timeout=10).topics:
            for done in admin.create_topics([NewTopic(topic, PARTITIONS, 1)], request_timeout=2).values():
                done.result(timeout=5)
    except Exception:
        pass  # the topic is there already, or this broker creates topics by itself
    refused = []
    acknowledged = 0

    def delivered(error, _message):
        nonlocal acknowledged
        if error:
            refused.append(str(error))
        else:
            acknowledged += 1

    producer = Producer({**settings, "message.timeout.ms": 15000, "linger.ms": 5})
    for line in sys.stdin.buffer:
        row = line.rstrip(b"\r\n")
        if row:
            producer.produce(topic, row, on_delivery=delivered)
            producer.poll(0)
    producer.flush(20)
    print(acknowledged)
    if refused:
        sys.exit(f"{len(refused)} messages were refused: {refused[0]}")


if sys.argv[1] == "serve":
    asyncio.run(serve(sys.argv[2:]))
else:
    produce(sys.argv[2], sys.argv[3])
