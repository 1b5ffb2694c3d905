//! The effective configuration is what the real server makes of the same files.
//!
//! One `clickhouse local` merges all trees at once: each is named as a file of executable functions, for which the server
//! writes the merged configuration into `preprocessed_configs/` before it looks what is in it.

#[path = "../effective/random.rs"]
mod random;
#[path = "../effective/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;

use housewright::clickhouse::config::effective::EffectiveError;
use housewright::lab::{LabHost, LabHostKind, LabSpec, default_cache_dir, down, local_clickhouse, up};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tree::{Written, canonical};

/// Enough for every pair of rules to meet, and done in half a minute.
const RANDOM_TREES: usize = 1000;

/// The server's answers: the merged XML in our form, or what it says.
fn ask(trees: &[Written]) -> Vec<Result<String, String>> {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    for (number, written) in trees.iter().enumerate() {
        for (path, text) in written.at(&directory(&root, number)) {
            fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let shown = root.display();
    let config = format!(
        "<clickhouse><logger><console>1</console><level>error</level></logger><path>{shown}/data/</path>\
         <user_defined_executable_functions_config>{shown}/trees/*/config.xml</user_defined_executable_functions_config></clickhouse>"
    );
    // Beside the trees, so that the names of what it keeps have their whole paths.
    fs::create_dir(root.join("ask")).unwrap();
    fs::write(root.join("ask/ask.xml"), config).unwrap();
    let mut command = clickhouse();
    command.args(["local", "--config-file"]).arg(root.join("ask/ask.xml")).args(["--query", "SELECT 1"]);
    command.envs(trees.iter().flat_map(|written| &written.environment));
    let said = String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned();
    let answer = |(number, written): (usize, &Written)| {
        let main = written.main(&directory(&root, number));
        let kept = Path::new(&main).with_extension("xml").display().to_string().replace('/', "_");
        let mark = format!("Failed to load config file '{main}': ");
        match (fs::read_to_string(root.join("data/preprocessed_configs").join(kept)), said.split_once(&mark)) {
            // It is written before encrypted values are read, which fails without their key.
            (Ok(xml), _) => Ok(canonical(&xml).replace(&directory(&root, number), "/tree")),
            (Err(_), Some((_, why))) => Err(why.split(", Stack trace").next().unwrap_or_default().to_owned()),
            (Err(_), None) => panic!("no answer for {main}:\n{}", said.lines().last().unwrap_or_default()),
        }
    };
    trees.iter().enumerate().map(answer).collect()
}

fn directory(root: &Path, number: usize) -> String {
    format!("{}/trees/{number}", root.display())
}

/// The lab's ClickHouse; a lab that comes up fetches it.
fn clickhouse() -> std::process::Command {
    local_clickhouse(&default_cache_dir()).unwrap_or_else(|| {
        let _turn = crate::fleet::turn();
        let state_dir = std::env::temp_dir().join(format!("live-effective-{}", std::process::id()));
        let host = LabHost { name: "one".to_owned(), address: [10, 77, 9, 1].into(), kind: LabHostKind::SshOnly };
        let say = |text: &str| eprintln!("{text}");
        up(&LabSpec { state_dir: state_dir.clone(), ..LabSpec::new(vec![host]) }, &say).unwrap();
        down(&state_dir, &say).unwrap();
        local_clickhouse(&default_cache_dir()).unwrap()
    })
}

#[test]
fn the_recorded_answers_are_the_servers() {
    let mut folders: Vec<_> =
        fs::read_dir("tests/effective/trees").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let trees: Vec<_> = folders.iter().map(|folder| Written::load(folder)).collect();
    let mut stale = Vec::new();
    for (folder, answer) in folders.iter().zip(ask(&trees)) {
        let recorded = fs::read_to_string(folder.join("expected.xml")).ok();
        let refused = folder.join("expected.txt");
        match answer {
            Ok(xml) if recorded.as_ref() == Some(&xml) => {}
            Err(_) if refused.exists() => {}
            Ok(xml) if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() => {
                fs::write(folder.join("expected.xml"), xml).unwrap();
            }
            Err(why) if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() => {
                fs::write(refused, format!("{}\n", why.rsplit("Exception: ").next().unwrap_or_default())).unwrap();
            }
            other => stale.push(format!("{}: {other:?}", folder.display())),
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn random_trees_merge_as_on_the_server() {
    let seed = std::env::var("HOUSEWRIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(258);
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let mut trees: Vec<_> =
        (0..RANDOM_TREES).map(|_| random::tree().new_tree(&mut runner).unwrap().current()).collect();
    // Substitutions in a circle: the server follows them until its stack overflows, and answers nobody.
    trees.retain(|written| !matches!(written.effective("/tree"), Err(EffectiveError::TooMuch { .. })));
    let (mut merged, mut refused, mut wrong) = (0, 0, Vec::new());
    for (written, theirs) in trees.iter().zip(ask(&trees)) {
        match (written.answer("/tree"), theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => merged += 1,
            (Err(_), Err(_)) => refused += 1,
            (ours, theirs) => wrong.push(format!("{written:#?}\nours: {ours:#?}\nthe server's: {theirs:#?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {RANDOM_TREES} differ; the first:\n{}", wrong.len(), wrong[0]);
    assert!(merged > RANDOM_TREES / 2 && refused > RANDOM_TREES / 50, "{merged} merged, {refused} refused");
}

/// For a closer look at trees of elsewhere: each folder of the directory `HOUSEWRIGHT_TREES` is one, with its `config.xml`.
#[test]
#[ignore = "needs HOUSEWRIGHT_TREES, a directory of trees that are not this repository's"]
fn trees_of_elsewhere_merge_as_on_the_server() {
    let directory = std::env::var_os("HOUSEWRIGHT_TREES").expect("HOUSEWRIGHT_TREES names a directory");
    let mut folders: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let trees: Vec<_> = folders.iter().map(|folder| Written::load(folder)).collect();
    let (mut merged, mut refused, mut wrong) = (0, 0, Vec::new());
    for ((folder, written), theirs) in folders.iter().zip(&trees).zip(ask(&trees)) {
        match (written.answer("/tree"), theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => merged += 1,
            (Err(ours), Err(theirs)) => {
                eprintln!("{}: {ours}; the server: {theirs}", folder.display());
                refused += 1;
            }
            (ours, theirs) => wrong.push(format!("{}\n{ours:#?}\nthe server:\n{theirs:#?}", folder.display())),
        }
    }
    eprintln!("{merged} merged alike, {refused} refused alike, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
