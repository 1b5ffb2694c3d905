//! temp
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Disruption {
    #[default]
    None,
    Reload,
    Reattach,
    Restart,
}
pub fn disruption_of_file(_path: &str, _old: &str, _new: &str) -> (Disruption, Vec<String>) {
    (Disruption::Restart, vec!["temp".to_owned()])
}
