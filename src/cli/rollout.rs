//! How a run goes through the fleet: batches, canaries, budgets, one part of the changes (edge: options).

use std::collections::BTreeSet;
use std::str::FromStr;

use super::error::CommandError;
use crate::fleet::{HostName, RolloutDefaults};
use crate::plan::{Amount, Budget, Canary, Part};

/// Options of every verb that goes through the fleet in waves.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(super) struct Rollout {
    /// The most hosts in a wave: `10`, `20%` of those that a tier changes, or a list for its first, second, ... wave: `1,5,20%`
    #[arg(long, value_name = "N|P%", value_delimiter = ',')]
    pub serial: Vec<Amount>,
    /// Who goes first: so many hosts of each role (by default 1), these hosts (`data-1-a,small-1`), or `none`
    #[arg(long, value_name = "N|HOST|none")]
    pub canary: Option<CanaryWish>,
    /// The most hosts away at a time: `10` of the run, or `25%` of each role and of its hosts in a zone (by default half)
    #[arg(long, value_name = "N|P%")]
    pub max_unavailable: Option<Amount>,
    /// How many hosts that served may fail before no further one is begun
    #[arg(long, value_name = "N")]
    pub max_failures: Option<usize>,
    /// Plan one part of the changes and leave the others
    #[arg(long, value_enum, value_name = "PART")]
    pub only: Option<Part>,
    /// Nothing is left for the inventory to say.
    #[arg(skip)]
    is_whole: bool,
}

/// Who goes first, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CanaryWish(Canary);

impl FromStr for CanaryWish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Canary::Each(0)));
        }
        if let Ok(count) = text.parse() {
            return Ok(Self(Canary::Each(count)));
        }
        let names: Result<BTreeSet<_>, _> = text.split(',').map(|name| HostName::new(name.trim())).collect();
        names.map(|names| Self(Canary::Named(names))).map_err(|error| error.to_string())
    }
}

impl Rollout {
    /// The same, with what the inventory says where no option was given. What a saved plan was made with is whole as it is.
    pub(super) fn over(&self, inventory: &RolloutDefaults) -> Self {
        let mut whole = self.clone();
        if self.is_whole {
            return whole;
        }
        // What is no amount is a problem of the inventory, told before.
        if whole.serial.is_empty() {
            whole.serial = inventory.serial.iter().filter_map(|amount| amount.parse().ok()).collect();
        }
        whole.canary = whole.canary.or_else(|| inventory.canary.map(|count| CanaryWish(Canary::Each(count))));
        let most = || inventory.max_unavailable.as_ref()?.parse().ok();
        whole.max_unavailable = whole.max_unavailable.or_else(most);
        whole.max_failures = whole.max_failures.or(inventory.max_failures);
        whole
    }

    /// The budget that the options mean.
    pub(super) fn budget(&self) -> Budget {
        Budget {
            serial: self.serial.clone(),
            canary: self.canary.clone().map(|wish| wish.0).unwrap_or_default(),
            max_unavailable: self.max_unavailable,
            max_failures: self.max_failures.unwrap_or_default(),
        }
    }

    /// Refuses canaries that are no hosts of the fleet: another host would go first, and nobody would know.
    pub(super) fn check(&self, knows: impl Fn(&HostName) -> bool) -> Result<(), CommandError> {
        let Some(CanaryWish(Canary::Named(names))) = &self.canary else { return Ok(()) };
        match names.iter().find(|name| !knows(name)) {
            Some(name) => Err(CommandError::hinted(
                format!("the canary `{name}` is no host that may be changed"),
                "who is one: `housewright inventory`",
            )),
            None => Ok(()),
        }
    }

    /// The first option that is given and says something else than a saved plan was made with.
    pub(super) fn conflict(&self, budget: &Budget, only: Option<Part>) -> Option<&'static str> {
        let own = self.budget();
        let conflicts = [
            ("--serial", !self.serial.is_empty() && own.serial != budget.serial),
            ("--canary", self.canary.is_some() && own.canary != budget.canary),
            ("--max-unavailable", self.max_unavailable.is_some() && own.max_unavailable != budget.max_unavailable),
            ("--max-failures", self.max_failures.is_some() && own.max_failures != budget.max_failures),
            ("--only", self.only.is_some() && self.only != only),
        ];
        conflicts.into_iter().find(|(_, is)| *is).map(|(option, _)| option)
    }

    /// The options that mean a budget.
    pub(super) fn meaning(budget: &Budget, only: Option<Part>) -> Self {
        Self {
            serial: budget.serial.clone(),
            canary: Some(CanaryWish(budget.canary.clone())),
            max_unavailable: budget.max_unavailable,
            max_failures: Some(budget.max_failures),
            only,
            is_whole: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        rollout: Rollout,
    }

    fn parse(words: &[&str]) -> Result<Budget, String> {
        let line = Line::try_parse_from(std::iter::once(&"x").chain(words));
        line.map(|line| line.rollout.budget()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        assert_eq!(parse(&[]), Ok(Budget::default()));
        let budget = parse(&["--serial", "1,5,20%", "--canary", "b,a", "--max-unavailable", "25%"]).unwrap();
        assert_eq!(budget.serial, [Amount::Hosts(1), Amount::Hosts(5), Amount::Percent(20)]);
        let names = ["a", "b"].map(|name| HostName::new(name).unwrap());
        assert_eq!(budget.canary, Canary::Named(BTreeSet::from(names)));
        assert_eq!(parse(&["--canary", "none"]).unwrap().canary, Canary::Each(0));
        assert_eq!(parse(&["--canary", "3"]).unwrap().canary, Canary::Each(3));
        for words in
            [["--serial", "0"], ["--serial", "1,"], ["--max-unavailable", "0%"], ["--canary", "a b"], ["--only", "x"]]
        {
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_inventory_says_what_no_option_says() {
        let inventory = RolloutDefaults {
            serial: vec!["1".to_owned(), "20%".to_owned()],
            canary: Some(2),
            max_unavailable: Some("25%".to_owned()),
            max_failures: Some(1),
        };
        let given = |words: &[&str]| Line::try_parse_from(std::iter::once(&"x").chain(words)).unwrap().rollout;
        let budget = given(&[]).over(&inventory).budget();
        assert_eq!(budget.serial, [Amount::Hosts(1), Amount::Percent(20)]);
        assert_eq!(
            (budget.canary, budget.max_unavailable, budget.max_failures),
            (Canary::Each(2), Some(Amount::Percent(25)), 1)
        );
        let words = ["--serial", "3", "--canary", "none", "--max-unavailable", "4", "--max-failures", "0"];
        assert_eq!(given(&words).over(&inventory), given(&words));
        let saved = Rollout::meaning(&Budget::default(), None);
        assert_eq!(saved.over(&inventory).budget(), Budget::default());
    }

    #[test]
    fn an_option_beside_a_saved_plan_must_say_the_same() {
        let given = |words: &[&str]| Line::try_parse_from(std::iter::once(&"x").chain(words)).unwrap().rollout;
        let made = given(&["--serial", "2", "--only", "config"]);
        let conflict = |words: &[&str]| given(words).conflict(&made.budget(), made.only);
        assert_eq!(conflict(&[]), None);
        assert_eq!(conflict(&["--serial", "2"]), None);
        assert_eq!(conflict(&["--serial", "3"]), Some("--serial"));
        assert_eq!(conflict(&["--only", "host"]), Some("--only"));
        assert_eq!(conflict(&["--canary", "none"]), Some("--canary"));
        let again = Rollout::meaning(&made.budget(), made.only);
        assert_eq!((again.budget(), again.only), (made.budget(), made.only));
    }
}
