//! The moves that make the disks of a server even, and why there are no more (pure).

use serde::Serialize;

use super::field::Field;
use super::pool::Pool;
use super::{Aim, Course, Layout, Move};

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalancePlan {
    /// How full the disks are.
    pub before: Vec<Pool>,
    /// What goes where, in this order.
    pub moves: Vec<Move>,
    /// How full they are then.
    pub after: Vec<Pool>,
    /// Why there are no more moves.
    pub why: Why,
}

/// Why nothing more is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No volume has several disks that can be compared.
    NothingToCompare,
    /// The disks are even enough.
    Even,
    /// No part that may go would make them more even.
    NothingFits,
    /// The run has moved what it may.
    Budget,
}

impl BalancePlan {
    /// Bytes that go.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.moves.iter().map(|step| step.bytes).sum()
    }
}

/// Chooses all moves of a run, as if nothing else happened meanwhile.
#[must_use]
pub fn plan(layout: &Layout, aim: &Aim) -> BalancePlan {
    let mut course = Course::default();
    let mut field = Field::new(layout, &course.taken);
    let (before, mut moves) = (field.pools(), Vec::new());
    while let Some(step) = field.next(aim, &course) {
        field.make(&step);
        course.note(&step, step.bytes);
        moves.push(step);
    }
    let why = why(&field, aim, &course);
    BalancePlan { before, moves, after: field.pools(), why }
}

/// Chooses the next move of a run, or says why there is none.
///
/// # Errors
/// Nothing more is moved.
pub fn next(layout: &Layout, aim: &Aim, course: &Course) -> Result<Move, Why> {
    let field = Field::new(layout, &course.taken);
    field.next(aim, course).ok_or_else(|| why(&field, aim, course))
}

/// How full the disks are that parts can go between.
#[must_use]
pub fn pools(layout: &Layout) -> Vec<Pool> {
    Field::new(layout, &Course::default().taken).pools()
}

fn why(field: &Field<'_>, aim: &Aim, course: &Course) -> Why {
    let unbounded = Aim { bytes: u64::MAX, ..*aim };
    if field.pools().is_empty() {
        Why::NothingToCompare
    } else if !field.active(aim, course).contains(&true) {
        Why::Even
    } else if field.next(&unbounded, course).is_some() {
        Why::Budget
    } else {
        Why::NothingFits
    }
}
