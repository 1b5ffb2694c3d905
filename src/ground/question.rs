//! Questions to a host as commands that only read, and their raw answers (pure).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::remote::Output;

/// A program with its arguments that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Question(Vec<String>);

impl Question {
    /// Asks with these words.
    pub fn new<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self(argv.into_iter().map(Into::into).collect())
    }

    /// The words.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.0
    }
}

/// What a program exits with that is not there (<https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02>).
const NOT_FOUND: u8 = 127;

/// What a question was answered with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The exit code; nothing where a signal ended it, or it took too long.
    pub status: Option<u8>,
    /// What it printed.
    pub stdout: String,
}

impl Answer {
    /// Reads what [`remote::Command::Ask`](crate::remote::Command::Ask) printed: the program's own words, then its exit code in a line.
    #[must_use]
    pub fn read(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let (said, code) = text.trim_end_matches('\n').rsplit_once('\n').unwrap_or(("", &text));
        Self {
            status: code.trim().parse().ok().filter(|code| *code < 124 || *code == NOT_FOUND),
            stdout: said.to_owned(),
        }
    }

    /// What it printed, where it went well.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        (self.status == Some(0)).then_some(self.stdout.as_str())
    }

    /// Whether the program is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == Some(NOT_FOUND)
    }
}

/// The answers of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(Vec<(Question, Answer)>);

impl Answers {
    /// The answer to a question; nothing where it was not asked.
    #[must_use]
    pub fn get(&self, question: &Question) -> Option<&Answer> {
        self.0.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer)
    }

    /// What a question printed, where it went well.
    #[must_use]
    pub fn text(&self, question: &Question) -> Option<&str> {
        self.get(question)?.text()
    }

    /// Those of some questions.
    #[must_use]
    pub fn only(&self, questions: &[Question]) -> Self {
        Self(self.0.iter().filter(|(asked, _)| questions.contains(asked)).cloned().collect())
    }

    /// The questions that are answered otherwise by `now`.
    pub fn moved<'a>(&'a self, now: &'a Self) -> impl Iterator<Item = &'a Question> {
        self.0.iter().filter(|(asked, answer)| now.get(asked) != Some(answer)).map(|(asked, _)| asked)
    }

    /// Question by question.
    #[must_use]
    pub fn by_words(&self) -> BTreeMap<String, &Answer> {
        self.0.iter().map(|(question, answer)| (question.argv().join(" "), answer)).collect()
    }
}

impl FromIterator<(Question, Answer)> for Answers {
    fn from_iter<I: IntoIterator<Item = (Question, Answer)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::remote::Status;

    fn read(text: &str) -> Answer {
        let stdout = Bytes::from(text.to_owned());
        Answer::read(&Output { status: Status::Exited(0), stdout, stderr: Bytes::new() })
    }

    #[test]
    fn the_last_line_is_the_exit_code_and_all_before_it_the_programs() {
        let answer = |status, stdout: &str| Answer { status, stdout: stdout.to_owned() };
        assert_eq!(read("a\nb\n\n0\n"), answer(Some(0), "a\nb\n"));
        assert_eq!(read("no newline\n3\n"), answer(Some(3), "no newline"));
        assert_eq!(read("\n127\n"), answer(Some(127), ""));
        assert!(read("\n127\n").is_not_found());
        assert_eq!(read("slow\n124\n"), answer(None, "slow"), "ended by `timeout`");
        assert_eq!(read("dead\n137\n"), answer(None, "dead"), "killed");
        assert_eq!(read(""), answer(None, ""));
    }
}
