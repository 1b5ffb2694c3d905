//! What stops a merge, before the file's number has become its path (pure).

use super::budget::TooMuch;
use super::error::{EffectiveError, ElementError};
use super::tree::{NodeId, Place, Tree};

/// Why a merge stops.
#[derive(Debug)]
pub(super) enum Wrong {
    Element { place: Place, name: String, what: ElementError },
    TooMuch(TooMuch),
}

impl From<TooMuch> for Wrong {
    fn from(much: TooMuch) -> Self {
        Self::TooMuch(much)
    }
}

impl Wrong {
    pub(super) fn element(tree: &Tree, element: NodeId, what: ElementError) -> Self {
        Self::Element { place: tree.place(element), name: tree.name(element).to_owned(), what }
    }

    /// Says which file it is; `files` are the paths by number, the main file first.
    pub(super) fn in_files(self, files: &[String]) -> EffectiveError {
        let name = |number: usize| files.get(number).cloned().unwrap_or_default();
        match self {
            Self::Element { place, name: element, what } => {
                EffectiveError::Element { file: name(place.file), line: place.line, element, what }
            }
            Self::TooMuch(source) => EffectiveError::TooMuch { file: name(0), source },
        }
    }
}
