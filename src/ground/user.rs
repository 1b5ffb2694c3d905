//! Users with their groups (pure).

use serde::Serialize;

use super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};

/// A user that a role wants; what is not said is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UserWant {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: Option<u32>,
    /// Its own group; made where it is missing.
    pub group: Option<String>,
    /// Groups that it is in besides; they must be there.
    pub groups: Vec<String>,
    /// Its home directory, which is not made.
    pub home: Option<String>,
    /// Its login shell.
    pub shell: Option<String>,
}

impl UserWant {
    /// Whether a user that is there can be otherwise than it is wanted.
    fn wants_more(&self) -> bool {
        let Self { name: _, uid: _, group, groups, home, shell } = self;
        group.is_some() || !groups.is_empty() || home.is_some() || shell.is_some()
    }
}

fn passwd(name: &str) -> Question {
    Question::new(["getent", "passwd", name])
}

/// The host's own users only: those of a directory service cannot be changed there.
fn of_the_host(name: &str) -> Question {
    Question::new(["getent", "-s", "files", "passwd", name])
}

fn own_group(name: &str) -> Question {
    Question::new(["getent", "group", name])
}

fn member_of(name: &str) -> Question {
    Question::new(["id", "-nG", name])
}

/// What tells of users.
pub(super) fn questions(users: &[UserWant]) -> Vec<Question> {
    let of = |user: &UserWant| {
        let group = own_group(user.group.as_ref().unwrap_or(&user.name));
        let changes = user.wants_more().then(|| of_the_host(&user.name));
        let number = user.uid.map(|uid| passwd(&uid.to_string()));
        let more = (!user.groups.is_empty()).then(|| member_of(&user.name));
        [passwd(&user.name), group].into_iter().chain(changes).chain(number).chain(more).collect::<Vec<_>>()
    };
    users.iter().flat_map(of).collect()
}

/// Finds users that are missing or otherwise.
pub(super) fn diff(users: &[UserWant], answers: &Answers, findings: &mut Findings) {
    users.iter().for_each(|user| findings.take(one(user, answers)));
}

/// A line of `passwd(5)`.
struct Entry<'a> {
    name: &'a str,
    uid: &'a str,
    gid: &'a str,
    home: &'a str,
    shell: &'a str,
}

impl<'a> Entry<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.trim_end().splitn(7, ':');
        let (name, _password, uid) = (fields.next()?, fields.next()?, fields.next()?);
        let (gid, _about) = (fields.next()?, fields.next()?);
        Some(Self { name, uid, gid, home: fields.next()?, shell: fields.next()? })
    }
}

fn one(user: &UserWant, answers: &Answers) -> Result<Option<GroundChange>, Refusal> {
    let name = &user.name;
    let there = answers.text(&passwd(name)).and_then(Entry::read);
    let (mut is, mut should, mut options) = (Vec::new(), Vec::new(), Vec::new());
    let mut differs = |what: &str, option: &str, now: Option<&str>, wanted: Option<String>| {
        let Some(wanted) = wanted.filter(|wanted| now != Some(wanted)) else { return };
        is.extend(now.map(|now| format!("{what} {now}")));
        options.extend([option.to_owned(), wanted.clone()]);
        should.push(format!("{what} {wanted}"));
    };
    let now = there.as_ref();
    if let (Some(now), Some(uid)) = (now, user.uid)
        && now.uid != uid.to_string()
    {
        // Its files would stay those of the old number.
        return Err(Refusal {
            what: format!("give user `{name}` the number {uid}"),
            reason: format!("it is there with the number {}, and its files are that number's", now.uid),
            hint: Some("change it by hand, with its files; or write its number into the role".to_owned()),
        });
    }
    if let (None, Some(uid)) = (now, user.uid)
        && let Some(other) = answers.text(&passwd(&uid.to_string())).and_then(Entry::read)
    {
        return Err(Refusal {
            what: format!("add user `{name}` with the number {uid}"),
            reason: format!("the number is `{}`'s", other.name),
            hint: Some("write another number into the role, or none".to_owned()),
        });
    }
    differs("number", "--uid", now.map(|now| now.uid), user.uid.map(|uid| uid.to_string()));
    differs("home", "--home-dir", now.map(|now| now.home), user.home.clone());
    differs("shell", "--shell", now.map(|now| now.shell), user.shell.clone());
    let group = user.group.as_ref().unwrap_or(name);
    let gid = answers.text(&own_group(group)).and_then(|line| line.trim_end().split(':').nth(2));
    let joins = now.is_some_and(|now| user.group.is_some() && gid != Some(now.gid));
    if joins {
        options.extend(["--gid".to_owned(), group.clone()]);
        should.push(format!("of group {group}"));
    }
    let member = answers.text(&member_of(name)).unwrap_or_default();
    let missing: Vec<_> =
        user.groups.iter().filter(|group| !member.split_whitespace().any(|is| is == **group)).cloned().collect();
    if !missing.is_empty() {
        options.extend(["--groups".to_owned(), missing.join(",")]);
        should.push(format!("in {}", missing.join(", ")));
    }
    if there.is_some() && options.is_empty() {
        return Ok(None);
    }
    if there.is_some() && answers.text(&of_the_host(name)).is_none() {
        return Err(Refusal {
            what: format!("change user `{name}`: {}", should.join(", ")),
            reason: "it is a directory service's, not the host's own".to_owned(),
            hint: Some("change it there, or leave it out of the role".to_owned()),
        });
    }
    let mut work = Vec::new();
    if gid.is_none() && (there.is_none() || joins) {
        work.push(Work::quick(format!("add group {group}"), ["groupadd", "--system", group]));
    }
    if there.is_none() {
        let how = ["useradd", "--system", "--no-create-home", "--gid", group].map(str::to_owned);
        work.push(Work::quick(format!("add user {name}"), how.into_iter().chain(options).chain([name.clone()])));
    } else {
        let append = (!missing.is_empty()).then(|| "--append".to_owned());
        // `usermod` calls the home by another name than `useradd`.
        let options = options.into_iter().map(|word| if word == "--home-dir" { "--home".to_owned() } else { word });
        let how = ["usermod".to_owned()].into_iter().chain(append).chain(options).chain([name.clone()]);
        work.push(Work::quick(format!("change user {name}"), how));
    }
    Ok(Some(GroundChange {
        is: there.is_some().then(|| if is.is_empty() { "there".to_owned() } else { is.join(", ") }),
        should: if should.is_empty() { format!("of group {group}") } else { should.join(", ") },
        work,
        ..GroundChange::new("user", name, When::BeforeFiles)
    }))
}
