//! The kinds of documents that people write (pure).

use super::discovery::EC2_FILE;
use super::role::ROLE;

/// A kind of YAML document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// `inventories/<region>/*.yml`.
    Inventory,
    /// Files of `group_vars/` and `host_vars/`.
    Vars,
    /// `roles/<role>/role.yml`.
    Role,
    /// `inventories/<region>/*.aws_ec2.yml`.
    AwsEc2,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Inventory, Self::Vars, Self::Role, Self::AwsEc2];

    /// A kind by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name on the command line; its schema is `NAME.schema.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Vars => "vars",
            Self::Role => "role",
            Self::AwsEc2 => "aws_ec2",
        }
    }

    /// Which files are of this kind.
    #[must_use]
    pub fn files(self) -> &'static str {
        match self {
            Self::Inventory => "inventories/<region>/*.yml",
            Self::Vars => "inventories/<region>/group_vars/, host_vars/",
            Self::Role => "roles/<role>/role.yml",
            Self::AwsEc2 => "inventories/<region>/*.aws_ec2.yml",
        }
    }

    /// What such a document is.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Inventory => "Hosts in groups, in the form of Ansible's YAML inventories.",
            Self::Vars => "Variables of a group or host. Variables that are not listed here are for your templates.",
            Self::Role => ROLE.about,
            Self::AwsEc2 => EC2_FILE.about,
        }
    }
}
