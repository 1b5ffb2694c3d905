//! A configuration as a tree of elements, texts and comments, as the server's DOM keeps it (pure).
//!
//! Invariants: nodes live in one list and name each other by number, so that no depth overflows the stack when a tree is
//! dropped; a text never comes out of `Debug`.

use std::fmt;

use super::budget::{Budget, TooMuch};

/// A node of one [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(usize);

/// Where a node was written: the number of its file, and its line in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub file: usize,
    pub line: usize,
}

/// One attribute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attribute {
    pub name: String,
    pub value: String,
}

/// What a node is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Element {
        name: String,
        attributes: Vec<Attribute>,
    },
    Text(String),
    /// Told apart from a text: a merge drops the base's texts and keeps these.
    Cdata(String),
    /// A comment or a processing instruction: nobody reads it, and yet it makes an element one with content.
    Comment,
}

#[derive(Clone)]
struct Node {
    kind: Kind,
    place: Place,
    /// It came out of the environment.
    hidden: bool,
    parent: Option<NodeId>,
    first: Option<NodeId>,
    last: Option<NodeId>,
    previous: Option<NodeId>,
    next: Option<NodeId>,
}

/// One configuration: a file's, or a merged one.
#[derive(Clone)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// Only the number of its nodes.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} nodes)", self.nodes.len())
    }
}

/// Whether `replace` and `remove` below a node are taken out of its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    AsItIs,
    /// What is pasted where nothing was has nothing to replace.
    Cleaned,
}

impl Tree {
    /// Every tree's first element.
    pub(super) const ROOT: NodeId = NodeId(0);

    /// A tree of one element.
    pub(super) fn new(name: impl Into<String>, attributes: Vec<Attribute>, place: Place) -> Self {
        let kind = Kind::Element { name: name.into(), attributes };
        Self { nodes: vec![Node::loose(kind, place)] }
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }

    pub(super) fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    pub(super) fn place(&self, id: NodeId) -> Place {
        self.node(id).place
    }

    pub(super) fn is_hidden(&self, id: NodeId) -> bool {
        self.node(id).hidden
    }

    /// All of it came out of the environment.
    pub(super) fn hide_all(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.hidden = true);
    }

    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    pub(super) fn next(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).next
    }

    pub(super) fn first_child(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).first
    }

    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.first_child(id), |child| self.next(*child))
    }

    pub(super) fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(|child| self.is_element(*child))
    }

    pub(super) fn is_element(&self, id: NodeId) -> bool {
        matches!(self.kind(id), Kind::Element { .. })
    }

    /// The element's name; nothing for any other node.
    pub(super) fn name(&self, id: NodeId) -> &str {
        match self.kind(id) {
            Kind::Element { name, .. } => name,
            Kind::Text(_) | Kind::Cdata(_) | Kind::Comment => "",
        }
    }

    pub(super) fn attributes(&self, id: NodeId) -> &[Attribute] {
        match self.kind(id) {
            Kind::Element { attributes, .. } => attributes,
            Kind::Text(_) | Kind::Cdata(_) | Kind::Comment => &[],
        }
    }

    pub(super) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let mut attributes = self.attributes(id).iter();
        attributes.find(|attribute| attribute.name == name).map(|attribute| attribute.value.as_str())
    }

    pub(super) fn set_attribute(&mut self, id: NodeId, name: &str, value: &str) {
        if let Kind::Element { attributes, .. } = &mut self.node_mut(id).kind {
            match attributes.iter_mut().find(|attribute| attribute.name == name) {
                Some(attribute) => value.clone_into(&mut attribute.value),
                None => attributes.push(Attribute { name: name.to_owned(), value: value.to_owned() }),
            }
        }
    }

    pub(super) fn remove_attribute(&mut self, id: NodeId, name: &str) {
        if let Kind::Element { attributes, .. } = &mut self.node_mut(id).kind {
            attributes.retain(|attribute| attribute.name != name);
        }
    }

    /// The texts of the node and of all below it, as they stand.
    pub(super) fn inner_text(&self, id: NodeId) -> String {
        let mut text = String::new();
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            if let Kind::Text(part) | Kind::Cdata(part) = self.kind(id) {
                text.push_str(part);
            }
            let at = left.len();
            left.extend(self.children(id));
            left[at..].reverse();
        }
        text
    }

    /// Puts a new node behind the last child.
    pub(super) fn append(&mut self, parent: NodeId, kind: Kind, place: Place) -> NodeId {
        let id = self.add(kind, place);
        self.attach(parent, id, None);
        id
    }

    fn add(&mut self, kind: Kind, place: Place) -> NodeId {
        self.nodes.push(Node::loose(kind, place));
        NodeId(self.nodes.len() - 1)
    }

    /// Hangs a loose node in, before a child or behind the last one.
    fn attach(&mut self, parent: NodeId, id: NodeId, before: Option<NodeId>) {
        let previous = before.map_or(self.node(parent).last, |before| self.node(before).previous);
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (Some(parent), previous, before);
        match previous {
            Some(previous) => self.node_mut(previous).next = Some(id),
            None => self.node_mut(parent).first = Some(id),
        }
        match before {
            Some(before) => self.node_mut(before).previous = Some(id),
            None => self.node_mut(parent).last = Some(id),
        }
    }

    /// Takes a node and all below it out; it knows its parent and neighbours no more.
    pub(super) fn detach(&mut self, id: NodeId) {
        let Node { parent, previous, next, .. } = *self.node(id);
        let Some(parent) = parent else { return };
        match previous {
            Some(previous) => self.node_mut(previous).next = next,
            None => self.node_mut(parent).first = next,
        }
        match next {
            Some(next) => self.node_mut(next).previous = previous,
            None => self.node_mut(parent).last = previous,
        }
        let node = self.node_mut(id);
        (node.parent, node.previous, node.next) = (None, None, None);
    }

    /// Copies a node of another tree with all below it, before a child or behind the last one.
    pub(super) fn import(
        &mut self,
        from: &Self,
        node: NodeId,
        to: (NodeId, Option<NodeId>),
        copied: Copied,
        budget: &mut Budget,
    ) -> Result<NodeId, TooMuch> {
        let (parent, before) = to;
        let copy = self.copy_one(from, node, budget)?;
        self.attach(parent, copy, before);
        let mut left: Vec<(NodeId, NodeId)> = from.children(node).map(|child| (child, copy)).collect();
        left.reverse();
        while let Some((child, parent)) = left.pop() {
            if copied == Copied::Cleaned && from.attribute(child, "remove").is_some() {
                continue;
            }
            let copy = self.copy_one(from, child, budget)?;
            if copied == Copied::Cleaned {
                self.remove_attribute(copy, "replace");
            }
            self.attach(parent, copy, None);
            let at = left.len();
            left.extend(from.children(child).map(|child| (child, copy)));
            left[at..].reverse();
        }
        Ok(copy)
    }

    fn copy_one(&mut self, from: &Self, node: NodeId, budget: &mut Budget) -> Result<NodeId, TooMuch> {
        budget.spend(1 + from.size(node))?;
        let Node { kind, place, hidden, .. } = from.node(node);
        let copy = self.add(kind.clone(), *place);
        self.node_mut(copy).hidden = *hidden;
        Ok(copy)
    }

    /// What a copy costs beside the node itself, in steps of 64 bytes.
    fn size(&self, id: NodeId) -> usize {
        let bytes = match self.kind(id) {
            Kind::Text(text) | Kind::Cdata(text) => text.len(),
            Kind::Element { attributes, .. } => attributes.iter().map(|attribute| 64 + attribute.value.len()).sum(),
            Kind::Comment => 0,
        };
        bytes / 64
    }

    /// How many nodes deep the tree is; the root is 1.
    pub(super) fn depth(&self) -> usize {
        let (mut depth, mut left) = (0, vec![(Tree::ROOT, 1)]);
        while let Some((id, at)) = left.pop() {
            depth = depth.max(at);
            left.extend(self.elements(id).map(|child| (child, at + 1)));
        }
        depth
    }
}

impl Node {
    fn loose(kind: Kind, place: Place) -> Self {
        Self { kind, place, hidden: false, parent: None, first: None, last: None, previous: None, next: None }
    }
}
