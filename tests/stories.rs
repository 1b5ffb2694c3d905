//! Stories: each folder of `tests/fleets` is a small fleet, a simulated world, and what Housewright says and does there.
//!
//! `inventory/` is read with the repository's `roles/` and `templates/`, unless the story has its own. `observed.yml`
//! says what is on the hosts. `expected/` has the findings (`check.txt`), the plan (`plan.txt`) and the run (`run.txt`).
//! `HOUSEWRIGHT_BLESS=1 cargo test --test stories` writes `expected/` anew.

#[path = "stories/observed.rs"]
mod observed;
#[path = "stories/told.rs"]
mod told;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use housewright::inventory::pattern;
use housewright::migration::GoOn;
use housewright::plan::Plan;
use housewright::problem::Problem;
use housewright::render::load::templates;
use housewright::report::diagnostic::{Colour, render};
use housewright::report::{Diffs, plan as show};
use housewright::sim::SimFleet;
use observed::Story;
use world::{How, Project, Record, block_on, plain};

datatest_stable::harness! {
    { test = story, root = "tests/fleets", pattern = r"observed\.yml$" },
}

fn story(path: &Path) -> datatest_stable::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let story: Story = serde_yaml::from_str(&fs::read_to_string(path)?)?;
    let roles = story.roles_now(&own(folder, "roles"))?;
    let roles = roles.as_ref().map_or_else(|| own(folder, "roles"), |roles| roles.path().to_owned());
    let told = match project(&folder.join("inventory"), &roles, &own(folder, "templates")) {
        Err(problems) => vec![("check", shown(&problems))],
        Ok(mut project) => {
            let mut told = vec![("check", shown(&project.notes))];
            let sim = world(folder, &story, &project)?;
            told.extend(block_on(tell(&story, &mut project, &sim)));
            told
        }
    };
    compare(&folder.join("expected"), &told)
}

fn project(inventory: &Path, roles: &Path, from: &Path) -> Result<Project, Vec<Problem>> {
    Project::load(inventory, roles, templates(from), |reference| format!("the value of {reference}"))
}

/// The story's own, or the repository's.
fn own(folder: &Path, name: &str) -> PathBuf {
    [folder.join(name), PathBuf::from(name)].into_iter().find(|path| path.is_dir()).unwrap_or_default()
}

fn shown(problems: &[Problem]) -> String {
    if problems.is_empty() { "no problems\n".to_owned() } else { render(problems, Colour::Plain) + "\n" }
}

/// The world that Housewright finds: bare hosts, or hosts that it made from the inventory of then, and what happened
/// to them since.
fn world(folder: &Path, story: &Story, project: &Project) -> datatest_stable::Result<SimFleet> {
    let then = story.inventory_then(&folder.join("inventory"))?;
    let roles = story.roles_then(&own(folder, "roles"))?;
    let texts = story.templates_then(&own(folder, "templates"))?;
    let made = self::project(then.path(), roles.path(), texts.path()).map_err(|problems| shown(&problems))?;
    let sim = project.bare_world();
    story.begin(&sim);
    if story.converged() {
        block_on(made.apply(&sim));
        let rest = block_on(made.plan_now(&sim));
        if !(rest.is_empty() && rest.holds.is_empty()) {
            return Err(format!("the world of then did not converge:\n{}", plain(&show(&rest, Diffs::None))).into());
        }
    }
    story.found(&sim)?;
    Ok(sim)
}

async fn tell(story: &Story, project: &mut Project, sim: &SimFleet) -> Vec<(&'static str, String)> {
    let allows = |what: &str| story.allow.iter().any(|allowed| allowed == what);
    project.permissions.shard_outage = allows("shard-outage");
    project.permissions.quorum_outage = allows("quorum-outage");
    project.permissions.adopt_objects = allows("adopt-objects");
    project.permissions.downgrade = allows("downgrade");
    project.allow_destroy.clone_from(&story.allow_destroy);
    project.go_on = story.migration.iter().map(|how| GoOn::parse(how).unwrap()).collect();
    if let Some(limit) = &story.limit {
        match pattern::select(&project.inventory, limit) {
            Ok(hosts) => project.hosts = hosts,
            Err(problem) => return vec![("plan", shown(&[problem]))],
        }
    }
    (project.only, project.budget) = (story.only, story.budget.clone());
    if story.restart {
        project.restart = Some(BTreeSet::new());
    }
    project.here = Arc::new(sim.clone());
    let (record, stop) = (Record::default(), AtomicBool::new(false));
    let observed = project.observe(sim, &record).await;
    let asked = record.take();
    let plan: Plan = project.plan(&observed);
    let mut told = vec![("plan", plain(&show(&plan, Diffs::Fold)))];
    if !plan.is_empty() {
        story.strike(sim);
        let how = How { at_once: 32, stop: &stop, sink: &record };
        let outcome = project.run(plan.clone(), &observed, how).await;
        project.restart = None;
        let next = project.plan_now(sim).await;
        told.push(("run", told::run(&asked, &record.take(), &plan, &outcome, &next)));
    }
    told
}

fn compare(expected: &Path, told: &[(&'static str, String)]) -> datatest_stable::Result<()> {
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        fs::create_dir_all(expected)?;
        for name in ["check", "plan", "run"] {
            let path = expected.join(name).with_extension("txt");
            match told.iter().find(|(told, _)| *told == name) {
                Some((_, text)) => fs::write(path, text)?,
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
        return Ok(());
    }
    let mut wrong = String::new();
    for name in ["check", "plan", "run"] {
        let path = expected.join(name).with_extension("txt");
        let want = fs::read_to_string(&path).unwrap_or_default();
        let is = told.iter().find(|(told, _)| *told == name).map_or("", |(_, text)| text);
        if want != is {
            let diff = similar::TextDiff::from_lines(want.as_str(), is).unified_diff().to_string();
            wrong.push_str(&format!("\n{}:\n{diff}", path.display()));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    eprintln!("{wrong}");
    Err("it is not as expected; `HOUSEWRIGHT_BLESS=1 cargo test --test stories` takes it as it is".into())
}
