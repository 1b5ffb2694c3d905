//! Reads a role's migration files, its included roles' among them (pure): every file's problems, all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::statement::Judge;
use super::{Migration, MigrationId, RoleMigrations, Scope, code, header};
use crate::clickhouse::{Statement, StatementText, TokenKind, split, unclosed};
use crate::fleet::RoleName;
use crate::problem::{Problem, Span};
use crate::role::{PlacementKind, Role, SchemaFile};
use crate::schema::{Object, ObjectName, literal_secrets};

/// The migrations of every role, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    /// By the role of the hosts that have them, in order of number.
    pub roles: RoleMigrations,
    /// A file that several roles include is told of once.
    pub problems: Vec<Problem>,
}

/// Reads the migrations of roles; what their schemas have is no migration's to change.
#[must_use]
pub fn read(roles: &BTreeMap<RoleName, Role>, objects: &BTreeMap<RoleName, Vec<Object>>) -> Migrations {
    let mut all = Migrations::default();
    for (name, role) in roles {
        let owned = objects.get(name).into_iter().flatten().map(|object| &object.name).collect();
        let (migrations, problems) = of_role(role, &owned);
        all.roles.insert(name.clone(), migrations);
        for problem in problems {
            if !all.problems.contains(&problem) {
                all.problems.push(problem);
            }
        }
    }
    all
}

fn of_role(role: &Role, owned: &BTreeSet<&ObjectName>) -> (Vec<Migration>, Vec<Problem>) {
    let (mut migrations, mut problems) = (BTreeMap::<MigrationId, Migration>::new(), Vec::new());
    for file in &role.migrations {
        let Some(migration) = of_file(file, owned, &mut problems) else { continue };
        problems.extend(misplaced(role, &migration));
        if let Some(other) = migrations.get(&migration.id) {
            let message = format!("two migrations are `{}`: the other is at {}", migration.id, other.span);
            let hint = "give the later one the next number; one that was run keeps its own";
            problems.push(Problem::new(code::TWICE, message).at(&migration.span).hint(hint));
            continue;
        }
        migrations.insert(migration.id.clone(), migration);
    }
    let mut migrations: Vec<_> = migrations.into_values().collect();
    migrations.sort_by(|one, other| (one.id.number, &one.id.role).cmp(&(other.id.number, &other.id.role)));
    (migrations, problems)
}

/// Where it would be run must be such a place.
fn misplaced(role: &Role, migration: &Migration) -> Option<Problem> {
    let (message, hint) = match (role.placement, migration.scope) {
        (PlacementKind::Keeper, _) => {
            let message = format!("role `{}` runs coordination and cannot have migrations", role.name);
            (message, "move it to a role with ClickHouse")
        }
        (PlacementKind::Stateless, Scope::Shard) => {
            let message = format!("hosts of the stateless role `{}` have no shards", role.name);
            (message, "`once per host`, or `once per fleet`")
        }
        _ => return None,
    };
    Some(Problem::new(code::NO_SUCH_SCOPE, message).at(&migration.span).hint(hint))
}

fn of_file(file: &SchemaFile, owned: &BTreeSet<&ObjectName>, problems: &mut Vec<Problem>) -> Option<Migration> {
    let source = &file.source;
    let span = Span::new(source.clone(), 0..0);
    let before = problems.len();
    let named = number_and_name(&source.name);
    if named.is_none() {
        let message = "a migration's file is called by its number and its name";
        let hint = "four digits or more, then a name: `0004_backfill_events.sql`";
        problems.push(Problem::new(code::FILE_NAME, message).at(&span).hint(hint));
    }
    let header = header::read(source).map_err(|problem| problems.push(problem)).ok();
    problems.extend(unclosed(source));
    let texts = split(source);
    if texts.is_empty() {
        problems.push(Problem::new(code::EMPTY, "the migration has no statement").at(&span).hint("remove the file"));
    }
    let mut judge = Judge { owned, made: BTreeSet::new(), destroys: false };
    for text in texts.iter().filter(|text| !is_unclosed(text)) {
        problems.extend(literal_secrets(text));
        problems.extend(judge.look(text));
    }
    if problems.len() > before {
        return None;
    }
    let ((number, name), header) = (named?, header?);
    Some(Migration {
        id: MigrationId { role: file.role.clone(), number },
        name,
        scope: header.scope,
        limit: header.limit,
        interrupted: header.interrupted,
        checksum: checksum(header.scope, &texts),
        statements: texts.iter().map(|text| Statement::new(text.text())).collect(),
        destroys: judge.destroys,
        span,
    })
}

/// A statement that is cut off is told of already.
fn is_unclosed(statement: &StatementText) -> bool {
    statement.tokens.last().is_some_and(|token| matches!(token.kind, TokenKind::Unclosed(_)))
}

/// `0004_backfill_events.sql`: the number, and what stands behind it.
fn number_and_name(path: &str) -> Option<(u32, String)> {
    let file = path.rsplit('/').next()?.strip_suffix(".sql")?;
    let (number, name) = file.split_once('_')?;
    let is_number = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let number = number.parse().ok()?;
    (is_number && is_name).then(|| (number, name.to_owned()))
}

/// Of what is run: another comment, or another line, is the same migration.
fn checksum(scope: Scope, texts: &[StatementText]) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    add(scope.word());
    for statement in texts {
        add(";");
        for token in &statement.tokens {
            add(token.text(&statement.span.source.text));
        }
    }
    let mut hex = String::new();
    for byte in digest.finalize().iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::problem::Source;

    fn role(placement: PlacementKind, files: &[(&str, &str)]) -> Role {
        let name = RoleName::new("data").unwrap();
        let file = |(path, text): &(&str, &str)| SchemaFile {
            role: name.clone(),
            source: Arc::new(Source { name: format!("roles/data/migrations/{path}"), text: (*text).to_owned() }),
        };
        Role { migrations: files.iter().map(file).collect(), ..Role::empty(name.clone(), placement) }
    }

    fn problems(placement: PlacementKind, files: &[(&str, &str)]) -> Vec<String> {
        let (_, problems) = of_role(&role(placement, files), &BTreeSet::new());
        problems.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect()
    }

    const GOOD: &str = "-- housewright: once per shard\nOPTIMIZE TABLE a FINAL; -- why\nINSERT INTO b SELECT 'x;y'";

    #[test]
    fn a_file_becomes_a_migration_and_numbers_give_the_order() {
        let files = [("0012_b.sql", GOOD), ("0002_a-1.x.sql", GOOD)];
        let (migrations, problems) = of_role(&role(PlacementKind::Storage, &files), &BTreeSet::new());
        assert_eq!(problems, []);
        let told: Vec<_> = migrations.iter().map(|one| (one.id.to_string(), one.name.as_str(), one.count())).collect();
        assert_eq!(told, [("data/0002".to_owned(), "a-1.x", 2), ("data/0012".to_owned(), "b", 2)]);
        assert_eq!(migrations[0].statements[1].text(), "INSERT INTO b SELECT 'x;y'");
        assert_eq!(migrations[0].query_id(2, 1), format!("housewright-data-0002-{}-2-1", &migrations[0].checksum[..8]));
    }

    #[test]
    fn comments_and_lines_are_not_in_the_checksum_and_all_else_is() {
        let of = |text: &str| {
            let (migrations, _) = of_role(&role(PlacementKind::Storage, &[("0001_a.sql", text)]), &BTreeSet::new());
            migrations[0].checksum.clone()
        };
        let other = "/* A word more. */\n-- housewright: once per shard, limit 3h\n\nOPTIMIZE  TABLE a FINAL;\nINSERT INTO b SELECT 'x;y';;";
        assert_eq!(of(GOOD), of(other));
        for text in [
            GOOD.replace("per shard", "per host"),
            GOOD.replace("x;y", "x; y"),
            GOOD.replace(" FINAL", ""),
            GOOD.replace("; -- why\n", " "),
        ] {
            assert_ne!(of(GOOD), of(&text), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let storage = |files: &[(&str, &str)]| problems(PlacementKind::Storage, files);
        assert_eq!(
            storage(&[("4_a.sql", "SELECT 'a"), ("0001_a.sql", "-- housewright: once per host\n")]),
            [
                "HW0460 a migration's file is called by its number and its name",
                "HW0461 the migration does not say how often it is run",
                "HW0401 this string is never closed",
                "HW0465 the migration has no statement",
            ]
        );
        assert_eq!(
            storage(&[("0001_a.sql", GOOD), ("00001_b.sql", GOOD)]),
            ["HW0462 two migrations are `data/0001`: the other is at roles/data/migrations/0001_a.sql:1:1"]
        );
        assert_eq!(
            problems(PlacementKind::Stateless, &[("0001_a.sql", GOOD)]),
            ["HW0466 hosts of the stateless role `data` have no shards"]
        );
        assert_eq!(
            problems(PlacementKind::Keeper, &[("0001_a.sql", GOOD)]),
            ["HW0466 role `data` runs coordination and cannot have migrations"]
        );
        assert_eq!(
            storage(&[(
                "0001_a.sql",
                "-- housewright: once per host\nINSERT INTO a SELECT * FROM mysql('h', 'd', 't', 'u', 'pass1word')"
            )])
            .len(),
            1
        );
    }
}
