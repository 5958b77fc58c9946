"""Makes every call of docs/ec2-api.md by one unmodified client, boto3 or aws-cli, and
looks after each at the metadata, as the guest sees it. Prints the names of the calls.

The table CALLS is one for both clients: each name is an operation of EC2's API, each
dictionary has its parameters.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
from botocore import xform_name

METADATA = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
EC2 = boto3.client("ec2")


def by_boto3(operation, parameters):
    return getattr(EC2, xform_name(operation))(**parameters)


def by_the_aws_cli(operation, parameters):
    command = [sys.executable, "-m", "awscli", "ec2", xform_name(operation, "-")]
    command += ["--output", "json"]
    if parameters:
        command += ["--cli-input-json", json.dumps(parameters, default=lambda bytes: bytes.decode())]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{operation}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else {}


CALL = {"boto3": by_boto3, "aws-cli": by_the_aws_cli}[sys.argv[1]]


def call(operation, **parameters):
    answer = CALL(operation, parameters)
    print(operation)
    return answer


def seen(guest, path):
    """What the guest sees: the text, or the status."""
    request = urllib.request.Request(f"{METADATA}/latest/{path}", headers={"X-Guest": guest})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return None


def expect(what, wanted):
    assert what == wanted, f"expected {wanted!r}, found {what!r}"


launched = call(
    "RunInstances",
    ImageId="ami-0123456789abcdef0",
    MinCount=1,
    MaxCount=1,
    InstanceType="t3.small",
    UserData="#!/bin/sh\n",
    MetadataOptions={"InstanceMetadataTags": "enabled"},
    InstanceMarketOptions={
        "MarketType": "spot",
        "SpotOptions": {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"},
    },
    TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
)
guest = launched["Instances"][0]["InstanceId"]
expect(launched["Instances"][0]["State"]["Name"], "pending")
EC2.get_waiter("instance_running").wait(InstanceIds=[guest])
EC2.get_waiter("instance_status_ok").wait(InstanceIds=[guest])
expect(seen(guest, "meta-data/instance-id"), guest)
expect(seen(guest, "meta-data/tags/instance/Name"), "web")
expect(seen(guest, "user-data"), "#!/bin/sh\n")

call("CreateTags", Resources=[guest], Tags=[{"Key": "Env", "Value": "test"}])
expect(seen(guest, "meta-data/tags/instance/Env"), "test")
call("DeleteTags", Resources=[guest], Tags=[{"Key": "Env"}])
expect(seen(guest, "meta-data/tags/instance/Env"), 404)
tags = call("DescribeTags", Filters=[{"Name": "resource-id", "Values": [guest]}])["Tags"]
expect([tag["Key"] for tag in tags], ["Name"])

options = call("ModifyInstanceMetadataOptions", InstanceId=guest, HttpTokens="required")
expect(options["InstanceMetadataOptions"]["State"], "pending")
expect(seen(guest, "meta-data/"), 401)
call("ModifyInstanceMetadataOptions", InstanceId=guest, HttpTokens="optional")
described = call("DescribeInstances", InstanceIds=[guest])["Reservations"][0]["Instances"][0]
expect(described["MetadataOptions"]["State"], "applied")
call("GetInstanceMetadataDefaults")

call("MonitorInstances", InstanceIds=[guest])
expect(seen(guest, "dynamic/fws/instance-monitoring"), "enabled")
call("UnmonitorInstances", InstanceIds=[guest])
call("RebootInstances", InstanceIds=[guest])
requests = call("DescribeSpotInstanceRequests")["SpotInstanceRequests"]
expect(requests[0]["InstanceId"], guest)

call("AssociateIamInstanceProfile", InstanceId=guest, IamInstanceProfile={"Name": "web"})
expect(seen(guest, "meta-data/iam/security-credentials/"), "web")
of_guest = [{"Name": "instance-id", "Values": [guest]}]
associations = call("DescribeIamInstanceProfileAssociations", Filters=of_guest)["IamInstanceProfileAssociations"]
replaced = call(
    "ReplaceIamInstanceProfileAssociation",
    AssociationId=associations[0]["AssociationId"],
    IamInstanceProfile={"Name": "db"},
)["IamInstanceProfileAssociation"]
expect(seen(guest, "meta-data/iam/security-credentials/"), "db")
call("DisassociateIamInstanceProfile", AssociationId=replaced["AssociationId"])
expect(seen(guest, "meta-data/iam/info"), 404)

address = call("AllocateAddress", Domain="vpc")
call("AssociateAddress", AllocationId=address["AllocationId"], InstanceId=guest)
expect(seen(guest, "meta-data/public-ipv4"), address["PublicIp"])
associated = call("DescribeAddresses")["Addresses"][0]
call("DisassociateAddress", AssociationId=associated["AssociationId"])
assert seen(guest, "meta-data/public-ipv4") != address["PublicIp"]
call("ReleaseAddress", AllocationId=address["AllocationId"])

interface = described["NetworkInterfaces"][0]["NetworkInterfaceId"]
item = f"meta-data/network/interfaces/macs/{seen(guest, 'meta-data/mac')}"
before = seen(guest, f"{item}/local-ipv4s")
assigned = call("AssignPrivateIpAddresses", NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
second = assigned["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
expect(seen(guest, f"{item}/local-ipv4s").splitlines(), [before, second])
call("UnassignPrivateIpAddresses", NetworkInterfaceId=interface, PrivateIpAddresses=[second])
expect(seen(guest, f"{item}/local-ipv4s"), before)
call("AssignIpv6Addresses", NetworkInterfaceId=interface, Ipv6Addresses=["2001:db8::7"])
expect(seen(guest, "meta-data/ipv6"), "2001:db8:0:0:0:0:0:7")
call("UnassignIpv6Addresses", NetworkInterfaceId=interface, Ipv6Addresses=["2001:db8::7"])
expect(seen(guest, "meta-data/ipv6"), 404)

volume = "vol-0123456789abcdef0"
call("AttachVolume", InstanceId=guest, VolumeId=volume, Device="/dev/sdf")
expect(seen(guest, "meta-data/block-device-mapping/ebs1"), 404)
stopped = call("StopInstances", InstanceIds=[guest])
expect(stopped["StoppingInstances"][0]["CurrentState"]["Name"], "stopping")
EC2.get_waiter("instance_stopped").wait(InstanceIds=[guest])
expect(seen(guest, "meta-data/"), None)
call("ModifyInstanceAttribute", InstanceId=guest, InstanceType={"Value": "m7g.large"})
call("ModifyInstanceAttribute", InstanceId=guest, UserData={"Value": b"#!/bin/sh\nexit 1\n"})
call("DescribeInstanceAttribute", InstanceId=guest, Attribute="userData")
call("StartInstances", InstanceIds=[guest])
EC2.get_waiter("instance_running").wait(InstanceIds=[guest])
expect(seen(guest, "meta-data/instance-type"), "m7g.large")
expect(seen(guest, "user-data"), "#!/bin/sh\nexit 1\n")
expect(seen(guest, "meta-data/block-device-mapping/ebs1"), "sdf")
call("DetachVolume", VolumeId=volume)
statuses = call("DescribeInstanceStatus", InstanceIds=[guest])["InstanceStatuses"]
expect(statuses[0]["InstanceStatus"]["Status"], "ok")

# EC2 schedules events, and here a description does: that of the guest `maintained`.
scheduled = [{"Name": "event.code", "Values": ["instance-reboot"]}]
maintained = EC2.describe_instance_status(Filters=scheduled)["InstanceStatuses"][0]
call(
    "ModifyInstanceEventStartTime",
    InstanceId=maintained["InstanceId"],
    InstanceEventId=maintained["Events"][0]["InstanceEventId"],
    NotBefore="2099-12-24T18:00:00Z",
)
assert "24 Dec 2099 18:00:00 GMT" in seen("maintained", "meta-data/events/maintenance/scheduled")

call("TerminateInstances", InstanceIds=[guest])
EC2.get_waiter("instance_terminated").wait(InstanceIds=[guest])
expect(seen(guest, "meta-data/"), None)
