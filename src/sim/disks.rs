//! Disks of a simulated server, and the parts that lie on them (edge).

use serde_json::{Value, json};

use super::SimServer;
use super::server::exception;
use crate::balance::{DISKS, Layout, PARTS, VOLUMES};
use crate::clickhouse::{ClickHouseError, Rows, Statement, TokenKind, lex, unquote};

/// What a server has of disks, and how it moves parts.
#[derive(Debug, Clone, Default)]
pub struct SimDisks {
    /// What there is.
    pub layout: Layout,
    /// Every move that it was told, with the rate: table, part, target, bytes in a second.
    pub told: Vec<(String, String, String, u64)>,
}

type Answer = Result<Rows, ClickHouseError>;

impl SimServer {
    /// Answers about disks; nothing where the statement is another.
    pub(super) fn about_disks(&self, statement: &Statement) -> Option<Rows> {
        let layout = &self.disks.layout;
        let rows = |columns: &[&str], rows: Vec<Vec<Value>>| {
            Some(Rows { columns: columns.iter().map(ToString::to_string).collect(), rows })
        };
        match statement.text() {
            DISKS => {
                let disk = |(name, disk): (&String, &crate::balance::Disk)| {
                    let unfit = disk.unfit.clone().unwrap_or_default();
                    vec![json!(name), json!(disk.total), json!(disk.free), json!(disk.unreserved), json!(unfit)]
                };
                let columns = ["name", "total", "free", "unreserved", "unfit"];
                rows(&columns, layout.disks.iter().map(disk).collect())
            }
            VOLUMES => {
                let volume = |volume: &crate::balance::Volume| {
                    vec![json!(volume.policy), json!(volume.name), json!(volume.disks)]
                };
                rows(&["policy", "volume", "disks"], layout.volumes.iter().map(volume).collect())
            }
            PARTS => {
                let part = |part: &crate::balance::Part| {
                    let (name, busy) = (&part.name, part.busy.clone().unwrap_or_default());
                    let texts = [&name.database, &name.table, &name.part, &part.disk, &part.policy, &busy];
                    texts.into_iter().map(|text| json!(text)).chain([json!(part.bytes)]).collect()
                };
                let columns = ["database", "table", "part", "disk", "policy", "busy", "bytes"];
                rows(&columns, layout.parts.iter().map(part).collect())
            }
            _ => None,
        }
    }

    /// Moves a part, with the errors of a real server (measured on 25.8); nothing where the statement is another.
    pub(super) fn moves_part(&mut self, statement: &Statement) -> Option<Answer> {
        let text = statement.text();
        if !text.contains(" MOVE PART ") {
            return None;
        }
        let tokens = lex(text);
        let of = |kind: TokenKind| tokens.iter().filter(move |token| token.kind == kind).map(|token| token.text(text));
        let names: Vec<String> = of(TokenKind::Quoted).map(unquote).collect();
        let texts: Vec<String> = of(TokenKind::Text).map(unquote).collect();
        let rate = of(TokenKind::Number).next_back().and_then(|rate| rate.parse().ok()).unwrap_or(0);
        let ([_, table], [part, target]) = (names.as_slice(), texts.as_slice()) else { return None };
        self.disks.told.push((table.clone(), part.clone(), target.clone(), rate));
        Some(self.disks.make(table, part, target).map(|()| Rows::default()))
    }
}

impl SimDisks {
    fn make(&mut self, table: &str, part: &str, target: &str) -> Result<(), ClickHouseError> {
        let Layout { disks, volumes, parts } = &mut self.layout;
        let Some(part) = parts.iter_mut().find(|own| own.name.table == table && own.name.part == part) else {
            return Err(exception(232, "NO_SUCH_DATA_PART", format!("Part {part} is not exists or not active.")));
        };
        if part.busy.is_some() {
            let message = "Cannot move part because it's participating in background process.";
            return Err(exception(384, "PART_IS_TEMPORARILY_LOCKED", message));
        }
        let of_policy = volumes.iter().filter(|volume| volume.policy == part.policy);
        let is_there = of_policy.flat_map(|volume| &volume.disks).any(|disk| disk == target);
        if !is_there || part.disk == target {
            return Err(exception(479, "UNKNOWN_DISK", format!("No such disk `{target}`, or the part is there")));
        }
        let free = disks.get(target).map_or(0, |disk| disk.unreserved);
        if free < part.bytes {
            let message = format!("Move is not possible. Not enough space on '{target}'.");
            return Err(exception(243, "NOT_ENOUGH_SPACE", message));
        }
        for (name, disk) in disks.iter_mut() {
            let space = |free: u64| match name {
                name if *name == part.disk => free.saturating_add(part.bytes),
                name if name == target => free.saturating_sub(part.bytes),
                _ => free,
            };
            (disk.free, disk.unreserved) = (space(disk.free), space(disk.unreserved));
        }
        target.clone_into(&mut part.disk);
        Ok(())
    }
}
