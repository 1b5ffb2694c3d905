//! Any texts are one configuration or a refusal; what is made of them is XML again, and reads as itself.
#![no_main]

use housewright::clickhouse::config::effective::{Attributes, Sources, Tree, Unknown};
use housewright::secret::Secret;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 5] =
    ["/c/config.xml", "/c/config.d/a.xml", "/c/config.d/b.yaml", "/c/conf.d/c.conf", "/etc/metrika.xml"];

fuzz_target!(|text: &str| {
    // The texts of the files, one after the other; the last one is the value of a variable too.
    let texts: Vec<_> = text.split('\u{1}').take(PATHS.len()).map(|text| Secret::new(text.to_owned().into())).collect();
    let last = text.rsplit('\u{1}').next().unwrap_or_default().to_owned();
    for unknown in [Unknown::Absent, Unknown::Kept] {
        let sources = Sources {
            main: PATHS[0],
            files: PATHS.into_iter().zip(&texts).collect(),
            environment: [("A".to_owned(), Secret::new(last.clone()))].into(),
            unknown,
        };
        let Ok(made) = sources.effective() else { continue };
        let _ = made.tree.keys(Attributes::All);
        let _ = made.tree.masked(&Default::default());
        let whole = made.tree.whole();
        // YAML makes elements of names that XML does not have.
        if let Ok(again) = Tree::from_xml(whole.expose()) {
            assert!(again.whole() == whole, "what is made of the files is something else the second time");
        }
    }
});
