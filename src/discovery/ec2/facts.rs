//! EC2's answers in the shape that Ansible's plugin gives them (edge): names in snake case, tags as a mapping, absent values left out.

#![expect(clippy::redundant_closure_for_method_calls, reason = "`|tag| tag.key()` reads better than the SDK's paths")]
#![expect(clippy::unnecessary_wraps, reason = "every value of a mapping is an `Option`")]

use std::collections::BTreeMap;

use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{
    GroupIdentifier, Instance as Ec2Instance, InstanceBlockDeviceMapping, InstanceNetworkInterface, InstanceTypeInfo,
    Reservation,
};
use serde_json::{Map, Value};

use super::super::Instance;

/// A mapping of the values that are there.
macro_rules! present {
    ($($key:literal: $value:expr),* $(,)?) => {{
        let mut map = Map::new();
        $(if let Some(value) = $value { map.insert($key.to_owned(), Value::from(value)); })*
        map
    }};
}

fn time(moment: Option<&DateTime>) -> Option<String> {
    moment?.fmt(DateTimeFormat::DateTime).ok()
}

fn nested(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Map<String, Value>) -> Option<Value> {
    Some(Value::Array(items.iter().map(|item| Value::Object(one(item))).collect()))
}

/// What is known of one instance; everything but its disks, which its type tells.
pub(super) fn instance(ec2: &Ec2Instance, reservation: &Reservation, region: &str) -> Instance {
    let id = ec2.instance_id().unwrap_or_default().to_owned();
    let mut facts = machine(ec2);
    facts.extend(network(ec2));
    facts.extend(present! {
        "owner_id": reservation.owner_id(),
        "requester_id": reservation.requester_id(),
        "reservation_id": reservation.reservation_id(),
        "placement": nested(placement(ec2, region)),
    });
    // They come in no order.
    let tags: BTreeMap<String, Value> =
        ec2.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), Value::from(tag.value()?)))).collect();
    facts.insert("tags".to_owned(), Value::Object(tags.into_iter().collect()));
    facts.sort_keys();
    Instance { id, region: region.to_owned(), facts }
}

fn placement(ec2: &Ec2Instance, region: &str) -> Map<String, Value> {
    let placement = ec2.placement();
    present! {
        "affinity": placement.and_then(|placement| placement.affinity()),
        "availability_zone": placement.and_then(|placement| placement.availability_zone()),
        "availability_zone_id": placement.and_then(|placement| placement.availability_zone_id()),
        "group_name": placement.and_then(|placement| placement.group_name()),
        "host_id": placement.and_then(|placement| placement.host_id()),
        "partition_number": placement.and_then(|placement| placement.partition_number()),
        "region": Some(region),
        "tenancy": placement.and_then(|placement| placement.tenancy()).map(|tenancy| tenancy.as_str()),
    }
}

fn machine(ec2: &Ec2Instance) -> Map<String, Value> {
    let state = ec2.state();
    let reason = ec2.state_reason();
    let cpu = ec2.cpu_options();
    let profile = ec2.iam_instance_profile();
    present! {
        "ami_launch_index": ec2.ami_launch_index(),
        "architecture": ec2.architecture().map(|value| value.as_str()),
        "block_device_mappings": list(ec2.block_device_mappings(), disk),
        "client_token": ec2.client_token(),
        "cpu_options": nested(present! {
            "core_count": cpu.and_then(|cpu| cpu.core_count()),
            "threads_per_core": cpu.and_then(|cpu| cpu.threads_per_core()),
        }),
        "ebs_optimized": ec2.ebs_optimized(),
        "ena_support": ec2.ena_support(),
        "hypervisor": ec2.hypervisor().map(|value| value.as_str()),
        "iam_instance_profile": nested(present! {
            "arn": profile.and_then(|profile| profile.arn()),
            "id": profile.and_then(|profile| profile.id()),
        }),
        "image_id": ec2.image_id(),
        "instance_id": ec2.instance_id(),
        "instance_lifecycle": ec2.instance_lifecycle().map(|value| value.as_str()),
        "instance_type": ec2.instance_type().map(|value| value.as_str()),
        "kernel_id": ec2.kernel_id(),
        "key_name": ec2.key_name(),
        "launch_time": time(ec2.launch_time()),
        "monitoring": nested(present! {
            "state": ec2.monitoring().and_then(|monitoring| monitoring.state()).map(|state| state.as_str()),
        }),
        "platform": ec2.platform().map(|value| value.as_str()),
        "platform_details": ec2.platform_details(),
        "ramdisk_id": ec2.ramdisk_id(),
        "root_device_name": ec2.root_device_name(),
        "root_device_type": ec2.root_device_type().map(|value| value.as_str()),
        "spot_instance_request_id": ec2.spot_instance_request_id(),
        "state": nested(present! {
            "code": state.and_then(|state| state.code()),
            "name": state.and_then(|state| state.name()).map(|name| name.as_str()),
        }),
        "state_reason": nested(present! {
            "code": reason.and_then(|reason| reason.code()),
            "message": reason.and_then(|reason| reason.message()),
        }),
        "state_transition_reason": ec2.state_transition_reason(),
        "virtualization_type": ec2.virtualization_type().map(|value| value.as_str()),
    }
}

fn network(ec2: &Ec2Instance) -> Map<String, Value> {
    present! {
        "network_interfaces": list(ec2.network_interfaces(), interface),
        "private_dns_name": ec2.private_dns_name(),
        "private_ip_address": ec2.private_ip_address(),
        "public_dns_name": ec2.public_dns_name(),
        "public_ip_address": ec2.public_ip_address(),
        "security_groups": list(ec2.security_groups(), group),
        "source_dest_check": ec2.source_dest_check(),
        "subnet_id": ec2.subnet_id(),
        "vpc_id": ec2.vpc_id(),
    }
}

fn group(group: &GroupIdentifier) -> Map<String, Value> {
    present! { "group_id": group.group_id(), "group_name": group.group_name() }
}

fn disk(disk: &InstanceBlockDeviceMapping) -> Map<String, Value> {
    let ebs = disk.ebs();
    present! {
        "device_name": disk.device_name(),
        "ebs": nested(present! {
            "attach_time": time(ebs.and_then(|ebs| ebs.attach_time())),
            "delete_on_termination": ebs.and_then(|ebs| ebs.delete_on_termination()),
            "status": ebs.and_then(|ebs| ebs.status()).map(|status| status.as_str()),
            "volume_id": ebs.and_then(|ebs| ebs.volume_id()),
        }),
    }
}

fn interface(interface: &InstanceNetworkInterface) -> Map<String, Value> {
    let association = interface.association();
    let attachment = interface.attachment();
    present! {
        "association": nested(present! {
            "ip_owner_id": association.and_then(|association| association.ip_owner_id()),
            "public_dns_name": association.and_then(|association| association.public_dns_name()),
            "public_ip": association.and_then(|association| association.public_ip()),
        }),
        "attachment": nested(present! {
            "attachment_id": attachment.and_then(|attachment| attachment.attachment_id()),
            "device_index": attachment.and_then(|attachment| attachment.device_index()),
            "status": attachment.and_then(|attachment| attachment.status()).map(|status| status.as_str()),
        }),
        "description": interface.description(),
        "groups": list(interface.groups(), group),
        "ipv6_addresses": list(interface.ipv6_addresses(), |address| present! { "ipv6_address": address.ipv6_address() }),
        "mac_address": interface.mac_address(),
        "network_interface_id": interface.network_interface_id(),
        "owner_id": interface.owner_id(),
        "private_dns_name": interface.private_dns_name(),
        "private_ip_address": interface.private_ip_address(),
        "source_dest_check": interface.source_dest_check(),
        "status": interface.status().map(|status| status.as_str()),
        "subnet_id": interface.subnet_id(),
        "vpc_id": interface.vpc_id(),
    }
}

/// What a type has: Housewright's own variables.
pub(super) fn of_type(found: &InstanceTypeInfo) -> Map<String, Value> {
    let storage = found.instance_storage_info();
    let ebs = found.ebs_info();
    let optimised = ebs.and_then(|ebs| ebs.ebs_optimized_info());
    let nvme = storage.and_then(|storage| storage.nvme_support()).map(|support| support.as_str());
    let disks = storage.map(|storage| storage.disks()).unwrap_or_default();
    present! {
        "instance_store_disks": list(disks, |disk| present! {
            "count": disk.count(),
            "nvme": Some(nvme != Some("unsupported")),
            "size_gb": disk.size_in_gb(),
            "type": disk.r#type().map(|kind| kind.as_str()),
        }),
        "instance_ebs": nested(present! {
            "baseline_iops": optimised.and_then(|info| info.baseline_iops()),
            "baseline_throughput_mb_per_s": optimised.and_then(|info| info.baseline_throughput_in_m_bps()),
            "max_attachments": ebs.and_then(|ebs| ebs.maximum_ebs_attachments()),
            "max_iops": optimised.and_then(|info| info.maximum_iops()),
            "max_throughput_mb_per_s": optimised.and_then(|info| info.maximum_throughput_in_m_bps()),
            "nvme": ebs.and_then(|ebs| ebs.nvme_support()).map(|support| support.as_str() != "unsupported"),
        }),
        "instance_memory_mib": found.memory_info().and_then(|memory| memory.size_in_mib()),
        "instance_vcpus": found.v_cpu_info().and_then(|cpu| cpu.default_v_cpus()),
    }
}
