//! Which devices a volume may be made of, and what each carries (pure). Invariant: what carries anything is not blank.

use std::collections::BTreeSet;

use super::want::Selector;
use super::world::{Block, World};
use crate::inventory::pattern::glob;

/// The model of an EC2 instance's own disks, and of EBS (<https://docs.aws.amazon.com/ebs/latest/userguide/identify-nvme-ebs-device.html>).
const INSTANCE_STORE: &str = "Amazon EC2 NVMe Instance Storage";

impl Selector {
    /// Whether a whole disk is what is meant.
    pub(super) fn matches(&self, block: &Block) -> bool {
        let any = |patterns: &[String], mut is: Box<dyn FnMut(&str) -> bool + '_>| {
            patterns.is_empty() || patterns.iter().any(|pattern| is(pattern))
        };
        block.kind == "disk"
            && self.instance_store.is_none_or(|wanted| wanted == (block.model == INSTANCE_STORE))
            && any(&self.ebs, Box::new(|id| plain(id) == plain(&block.serial)))
            && self.model.as_ref().is_none_or(|pattern| glob(pattern, &block.model))
            && any(&self.serial, Box::new(|pattern| glob(pattern, &block.serial)))
            && any(&self.by_id, Box::new(|pattern| block.links.iter().any(|link| glob(by_id(pattern), link))))
            && self.min_size.is_none_or(|least| block.size >= least)
            && self.max_size.is_none_or(|most| block.size <= most)
    }
}

/// EBS shows `vol-0ab` as the serial `vol0ab`.
fn plain(id: &str) -> String {
    id.replacen('-', "", 1)
}

fn by_id(name: &str) -> &str {
    name.strip_prefix("/dev/disk/by-id/").unwrap_or(name)
}

/// Devices whose signatures and partitions may be destroyed: by serial number or by a name in `/dev/disk/by-id`, exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destroyable(pub BTreeSet<String>);

impl Destroyable {
    /// The devices of one host among `HOST:DEVICE`.
    #[must_use]
    pub fn of(host: &str, allowed: &[String]) -> Self {
        let device = |name: &String| name.strip_prefix(host)?.strip_prefix(':').map(str::to_owned);
        Self(allowed.iter().filter_map(device).collect())
    }

    pub(super) fn names(&self, block: &Block) -> bool {
        let is =
            |name: &String| block.links.contains(by_id(name)) || (!block.serial.is_empty() && *name == block.serial);
        self.0.iter().any(is)
    }
}

/// What a device carries, and whether that can be lifted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Burden {
    /// Signatures and partitions, in words.
    pub(super) carries: Vec<String>,
    /// Who uses it now, in words: no permission lifts that.
    pub(super) used: Vec<String>,
}

impl Burden {
    /// All of a device and of what is on it.
    pub(super) fn of(block: &Block, world: &World) -> Self {
        let mut burden = Self::default();
        burden.take(block, world, 0);
        burden
    }

    pub(super) fn is_none(&self) -> bool {
        self.carries.is_empty() && self.used.is_empty()
    }

    pub(super) fn text(&self) -> String {
        self.used.iter().chain(&self.carries).cloned().collect::<Vec<_>>().join(", ")
    }

    fn take(&mut self, block: &Block, world: &World, depth: usize) {
        let of = if depth == 0 { String::new() } else { format!(" on `{}`", block.kernel_name) };
        for signature in &block.signatures {
            let label = signature.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
            let told = format!("{}{label}{of}", signature.kind);
            if !self.carries.contains(&told) {
                self.carries.push(told);
            }
        }
        self.used.extend(block.mounted.iter().map(|target| match target.as_str() {
            "[SWAP]" => format!("swap{of}"),
            target => format!("mounted at `{target}`{of}"),
        }));
        if block.is_read_only {
            self.used.push(format!("read-only{of}"));
        }
        for child in &block.children {
            let Some(child) = world.blocks.get(child) else {
                self.used.push(format!("`{child}` is on it"));
                continue;
            };
            if child.kind == "part" {
                self.carries.push(format!("partition `{}`", child.kernel_name));
            } else {
                self.used.push(format!("`{}` ({}) is on it", child.kernel_name, child.kind));
            }
            // Devices on devices are few; a loop would be the kernel's fault, and end here.
            if depth < 8 {
                self.take(child, world, depth + 1);
            }
        }
    }
}

/// What the devices that a volume may be made of are.
#[derive(Debug, Default)]
pub(super) struct Candidates<'w> {
    /// Nothing is on them.
    pub(super) blank: Vec<&'w Block>,
    /// Something is on them, and may be destroyed.
    pub(super) allowed: Vec<&'w Block>,
    /// Something is on them.
    pub(super) burdened: Vec<(&'w Block, Burden)>,
}

impl<'w> Candidates<'w> {
    /// Sorts the devices that match and that no other volume has, in the order of their lasting names.
    pub(super) fn find(selector: &Selector, world: &'w World, allowed: &Destroyable, taken: &BTreeSet<String>) -> Self {
        let free = |block: &&Block| selector.matches(block) && !taken.contains(&block.kernel_name);
        let mut blocks: Vec<_> = world.blocks.values().filter(free).collect();
        blocks.sort_by_key(|block| (block.link(), block.kernel_name.as_str()));
        let mut found = Self::default();
        for block in blocks {
            let mut burden = Burden::of(block, world);
            if block.link().is_none() {
                burden.used.push("without a name in /dev/disk/by-id".to_owned());
            }
            if burden.is_none() {
                found.blank.push(block);
            } else if burden.used.is_empty() && allowed.names(block) {
                found.allowed.push(block);
            } else {
                found.burdened.push((block, burden));
            }
        }
        found
    }

    /// The first devices that can be used, blank ones before those that are to be emptied.
    pub(super) fn take(&self, count: usize) -> Option<Vec<&'w Block>> {
        let usable: Vec<_> = self.blank.iter().chain(&self.allowed).copied().take(count).collect();
        (usable.len() == count).then_some(usable)
    }
}
