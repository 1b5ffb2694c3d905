"""A server that speaks S3, with the bucket `store`, until the test ends."""

import sys
import urllib.request

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/store", method="PUT"))
print(f"ready {port}", flush=True)
sys.stdin.read()
server.stop()
