//! Commands of the operator's: the few programs that this world has, on its hosts and on the machine that runs Housewright
//! (edge).

use std::time::Duration;

use async_trait::async_trait;

use super::session::{done, failed};
use super::unit::touched;
use super::{SimFleet, SimHost};
use crate::apply::Here;
use crate::remote::{Output, RemotePath};

/// Runs a program on a host: `touch`, `rm`, `true`, `false`, each also under `timeout`.
pub(super) fn program(host: &mut SimHost, argv: &[String]) -> Output {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    if let Some(text) = host.hook_fails.as_deref().filter(|text| words.iter().any(|word| word.contains(text))) {
        return failed(1, &format!("{text}: refused by the test"));
    }
    match words.as_slice() {
        ["timeout", "-k", _, _, ..] => program(host, argv.get(4..).unwrap_or_default()),
        ["tail", "-c", _, "--", path] => match RemotePath::new(*path).ok().and_then(|path| host.text(&path)) {
            Some(text) => done(text),
            None => failed(1, &format!("tail: cannot open '{path}' for reading: No such file or directory")),
        },
        ["true"] => done(""),
        ["false"] => failed(1, ""),
        ["touch", paths @ ..] => {
            paths.iter().for_each(|path| host.put_file(path, ""));
            done("")
        }
        ["rm", "-f", paths @ ..] => {
            for path in paths.iter().filter_map(|path| RemotePath::new(*path).ok()) {
                if let Some(old) = host.entries.remove(&path) {
                    touched(host, &path, Some(old.kind));
                }
            }
            done("")
        }
        _ => failed(127, &format!("{}: not found", words.first().unwrap_or(&""))),
    }
}

#[async_trait]
impl Here for SimFleet {
    async fn run(&self, argv: &[String], _: Duration) -> Result<Output, String> {
        tokio::task::yield_now().await;
        Ok(self.with(|world| {
            world.here.push(argv.to_vec());
            let text = world.here_fails.as_deref().filter(|text| argv.iter().any(|word| word.contains(text)));
            text.map_or_else(|| done(""), |text| failed(1, &format!("{text}: refused by the test")))
        }))
    }
}
