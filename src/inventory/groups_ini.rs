//! Puts an INI document into an inventory, with Ansible's order of groups and children (pure).
//!
//! A group may be named as a child, or given variables, before its own header; without one anywhere it is a problem.

use indexmap::IndexMap;

use super::groups::Assembly;
use super::ini::{Body, Document, Section};
use crate::problem::{Problem, Span, near_name};

/// Groups that were spoken of and not yet declared.
type Pending = IndexMap<String, Undeclared>;

enum Undeclared {
    /// By `[group:vars]`.
    Vars(Span),
    /// By the `:children` of these groups.
    Child(Vec<(String, Span)>),
}

impl Assembly<'_> {
    /// Adds the sections in their order.
    pub(super) fn ini(&mut self, document: &Document) {
        let mut pending = Pending::new();
        for section in &document.sections {
            self.section_begins(section, &mut pending);
            match &section.body {
                Body::Hosts(lines) => {
                    for line in lines {
                        self.hosts(&section.name, &line.pattern, &line.span, &line.vars);
                    }
                }
                Body::Vars(vars) => self.group_vars(&section.name, vars),
                Body::Children(children) => {
                    for (child, span) in children {
                        self.ini_child(&section.name, child, span, &mut pending);
                    }
                }
            }
        }
        for (name, undeclared) in pending {
            self.undeclared(document, &name, undeclared);
        }
    }

    /// `[group]` and `[group:children]` declare a group, `[group:vars]` waits for one of them.
    fn section_begins(&mut self, section: &Section, pending: &mut Pending) {
        let (name, vars) = (&section.name, matches!(section.body, Body::Vars(_)));
        if !self.inventory.groups.contains_key(name) {
            if vars && !pending.contains_key(name) {
                pending.insert(name.clone(), Undeclared::Vars(section.span.clone()));
            }
            self.declare(name);
        }
        if vars {
            return;
        }
        if let Some(Undeclared::Child(parents)) = pending.swap_remove(name) {
            for (parent, span) in parents {
                self.child(&parent, name, &span);
            }
        }
    }

    fn ini_child(&mut self, parent: &str, child: &str, span: &Span, pending: &mut Pending) {
        if self.inventory.groups.contains_key(child) {
            return self.child(parent, child, span);
        }
        let by = (parent.to_owned(), span.clone());
        if let Undeclared::Child(parents) =
            pending.entry(child.to_owned()).or_insert_with(|| Undeclared::Child(Vec::new()))
        {
            parents.push(by);
        }
    }

    fn undeclared(&mut self, document: &Document, name: &str, undeclared: Undeclared) {
        let (message, span) = match undeclared {
            Undeclared::Vars(span) => (format!("variables of a group that is nowhere declared: `{name}`"), Some(span)),
            Undeclared::Child(parents) => {
                let message = format!("a child that is nowhere declared as a group: `{name}`");
                (message, parents.into_iter().next().map(|(_, span)| span))
            }
        };
        let hint = near_name(name, self.inventory.groups.keys().map(String::as_str))
            .unwrap_or_else(|| format!("a header `[{name}]` declares it, also without hosts below it"));
        let problem = Problem::new("HW0138", message).hint(hint);
        self.problems.push(problem.at(&span.unwrap_or_else(|| document.span.clone())));
    }
}
