"""Housewright lab: two small Kafka brokers for many network namespaces, and clients for any broker.

serve NAMESPACE...         runs two of librdkafka's mock clusters, each of which listens on a loopback port of its own choice
                           and names that port to its clients. In every given namespace the same ports are relayed to
                           them, and port 9092 of 127.0.0.1 to the first and of 127.0.0.2 to the second, so all namespaces
                           share both.
produce BROKER TOPIC       sends each line of standard input as one message, and prints how many the broker acknowledged.
group BROKER TOPIC GROUP   joins a consumer group for a moment, and prints as JSON whether it was given all partitions,
                           because nobody else is in the group, and how far the group has committed.
"""

import asyncio
import ctypes
import json
import os
import socket
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

CLONE_NEWNET = 0x40000000
PARTITIONS = 4
# A member that went without a word is forgotten after its session's timeout; then the partitions go to the others.
JOINED_WITHIN = 20


def listeners(namespace, addresses):
    """Sockets keep the network namespace in which they were made."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        made = []
        for address in addresses:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
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


def relay_to(port):
    async def relay(reader, writer):
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    return relay


async def serve(namespaces):
    clusters, servers = [], []
    for address in ["127.0.0.1", "127.0.0.2"]:
        cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 4})
        clusters.append(cluster)  # kept: a cluster ends with its client
        port = next(iter(cluster.list_topics(timeout=10).brokers.values())).port
        for namespace in namespaces:
            for listener in listeners(namespace, [(address, 9092), ("127.0.0.1", port)]):
                servers.append(await asyncio.start_server(relay_to(port), sock=listener))
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


def group(broker, topic, name):
    settings = {"bootstrap.servers": broker, "group.id": name, "enable.auto.commit": False, "log_level": 3}
    consumer = Consumer({**settings, "session.timeout.ms": 6000, "auto.offset.reset": "latest"})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    committed, end = 0, 0
    for partition in consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=10):
        _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition.partition), timeout=10)
        committed += max(partition.offset, 0)
        end += high
    consumer.subscribe([topic])
    deadline = time.monotonic() + JOINED_WITHIN
    while len(consumer.assignment()) < len(partitions) and time.monotonic() < deadline:
        consumer.poll(0.2)
    alone = len(consumer.assignment()) == len(partitions)
    consumer.close()
    print(json.dumps({"empty": alone, "committed": committed, "end": end}))


if sys.argv[1] == "serve":
    asyncio.run(serve(sys.argv[2:]))
elif sys.argv[1] == "group":
    group(*sys.argv[2:5])
else:
    produce(sys.argv[2], sys.argv[3])
