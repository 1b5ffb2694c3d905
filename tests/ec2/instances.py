"""Serves EC2 by moto on a free port of loopback, with 300 instances of a fleet in two regions and some that are none of it."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"


def region(name, second_octet, shards, small, events):
    ec2 = boto3.client("ec2", name, endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    vpc = ec2.create_vpc(CidrBlock=f"10.{second_octet}.0.0/16")["Vpc"]["VpcId"]
    zone = name + "a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{second_octet}.0.0/20", AvailabilityZone=zone)
    subnet = subnet["Subnet"]["SubnetId"]

    def run(kind, count, tags):
        answer = ec2.run_instances(
            ImageId=image, InstanceType=kind, MinCount=count, MaxCount=count, SubnetId=subnet,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
        )
        return [instance["InstanceId"] for instance in answer["Instances"]]

    def name_them(instances, names):
        for instance, tags in zip(instances, names):
            ec2.create_tags(Resources=[instance], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    fleet = {"Fleet": "posthog"}
    replicas = [(shard, replica) for shard in shards for replica in "abc"]
    data = run("i4i.4xlarge", len(replicas), fleet | {"Role": "data"})
    name_them(data, [
        {"Name": f"data-{shard:02}-{replica}", "Shard": str(shard), "Replica": replica} for shard, replica in replicas
    ])
    for role, count in (("small", small), ("events", events)):
        made = run("c6i.large", count, fleet | {"Role": role})
        name_them(made, [{"Name": f"{role}-{name}-{n}"} for n in range(count)])
    # None of the fleet: another's, one that is retired, one that has ended.
    run("c6i.large", 3, {"Fleet": "other", "Name": "other"})
    run("c6i.large", 2, fleet | {"Retired": "yes"})
    ec2.terminate_instances(InstanceIds=run("c6i.large", 2, fleet))


region("eu-west-1", 10, range(1, 31), 54, 36)
region("us-east-1", 11, range(31, 51), 36, 24)
print(f"ready {port}", flush=True)
# Until the test ends.
sys.stdin.read()
server.stop()
