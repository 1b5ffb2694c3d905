//! The attributes that can name a host, under the names that EC2's filters have, and where their facts are (pure).
//!
//! The names are those of the plugin's `hostnames`
//! (<https://docs.ansible.com/ansible/latest/collections/amazon/aws/aws_ec2_inventory.html>).

/// Each attribute with its path through an instance's facts.
const ATTRIBUTES: [(&str, &[&str]); 52] = [
    ("affinity", &["placement", "affinity"]),
    ("architecture", &["architecture"]),
    ("availability-zone", &["placement", "availability_zone"]),
    ("block-device-mapping.attach-time", &["block_device_mappings", "ebs", "attach_time"]),
    ("block-device-mapping.device-name", &["block_device_mappings", "device_name"]),
    ("block-device-mapping.status", &["block_device_mappings", "ebs", "status"]),
    ("block-device-mapping.volume-id", &["block_device_mappings", "ebs", "volume_id"]),
    ("client-token", &["client_token"]),
    ("dns-name", &["public_dns_name"]),
    ("host-id", &["placement", "host_id"]),
    ("hypervisor", &["hypervisor"]),
    ("iam-instance-profile.arn", &["iam_instance_profile", "arn"]),
    ("image-id", &["image_id"]),
    ("instance-id", &["instance_id"]),
    ("instance-lifecycle", &["instance_lifecycle"]),
    ("instance-state-name", &["state", "name"]),
    ("instance-type", &["instance_type"]),
    ("instance.group-id", &["security_groups", "group_id"]),
    ("instance.group-name", &["security_groups", "group_name"]),
    ("ip-address", &["public_ip_address"]),
    ("kernel-id", &["kernel_id"]),
    ("key-name", &["key_name"]),
    ("launch-index", &["ami_launch_index"]),
    ("launch-time", &["launch_time"]),
    ("monitoring-state", &["monitoring", "state"]),
    ("network-interface.addresses.private-ip-address", &["network_interfaces", "private_ip_address"]),
    ("network-interface.association.public-ip", &["network_interfaces", "association", "public_ip"]),
    ("network-interface.availability-zone", &["placement", "availability_zone"]),
    ("network-interface.description", &["network_interfaces", "description"]),
    ("network-interface.group-id", &["network_interfaces", "groups", "group_id"]),
    ("network-interface.group-name", &["network_interfaces", "groups", "group_name"]),
    ("network-interface.ipv6-addresses.ipv6-address", &["network_interfaces", "ipv6_addresses", "ipv6_address"]),
    ("network-interface.mac-address", &["network_interfaces", "mac_address"]),
    ("network-interface.network-interface-id", &["network_interfaces", "network_interface_id"]),
    ("network-interface.private-dns-name", &["network_interfaces", "private_dns_name"]),
    ("network-interface.status", &["network_interfaces", "status"]),
    ("network-interface.subnet-id", &["network_interfaces", "subnet_id"]),
    ("network-interface.vpc-id", &["network_interfaces", "vpc_id"]),
    ("owner-id", &["owner_id"]),
    ("placement-group-name", &["placement", "group_name"]),
    ("platform", &["platform"]),
    ("private-dns-name", &["private_dns_name"]),
    ("private-ip-address", &["private_ip_address"]),
    ("ramdisk-id", &["ramdisk_id"]),
    ("requester-id", &["requester_id"]),
    ("reservation-id", &["reservation_id"]),
    ("root-device-name", &["root_device_name"]),
    ("root-device-type", &["root_device_type"]),
    ("spot-instance-request-id", &["spot_instance_request_id"]),
    ("subnet-id", &["subnet_id"]),
    ("tenancy", &["placement", "tenancy"]),
    ("vpc-id", &["vpc_id"]),
];

/// Where an attribute's fact is.
pub(super) fn path_of(attribute: &str) -> Option<&'static [&'static str]> {
    ATTRIBUTES.iter().find(|(name, _)| *name == attribute).map(|(_, path)| *path)
}

/// Every attribute's name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().map(|(name, _)| *name)
}
