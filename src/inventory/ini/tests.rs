//! INI inventories as Ansible reads them, with the place of every mistake.

use std::sync::Arc;

use super::{Body, Document, read};
use crate::inventory::Entry;
use crate::problem::{Problem, Source};

fn document(text: &str) -> (Document, Vec<Problem>) {
    let mut problems = Vec::new();
    let source = Arc::new(Source { name: "hosts".to_owned(), text: text.to_owned() });
    (read(&source, &mut problems).unwrap(), problems)
}

fn vars(entries: &[Entry]) -> String {
    entries.iter().map(|entry| [" ", &entry.key, "=", &entry.value.to_json().to_string()].concat()).collect()
}

/// One line a section: its name, then what is in it.
fn said(text: &str) -> String {
    let (document, problems) = document(text);
    assert_eq!(problems, []);
    let sections = document.sections.into_iter().map(|section| {
        let body = match section.body {
            Body::Hosts(hosts) => {
                hosts.iter().map(|line| [" <", &line.pattern, &vars(&line.vars), ">"].concat()).collect()
            }
            Body::Vars(entries) => " vars".to_owned() + &vars(&entries),
            Body::Children(children) => {
                let names: Vec<_> = children.iter().map(|(name, _)| name.as_str()).collect();
                format!(" children {}", names.join(" "))
            }
        };
        section.name + &body + "\n"
    });
    sections.collect()
}

/// `line:column message` of every problem.
fn wrong(text: &str) -> String {
    let (_, problems) = document(text);
    problems.iter().map(|problem| [problem.code, " ", &problem.to_string(), "\n"].concat()).collect()
}

#[test]
fn sections_hold_hosts_variables_and_children() {
    assert_eq!(
        said(
            "a\n[data]\ndata-[1:3]:2222 x=1 y='two words' z=\n[data:vars]\nport = 9000 # http\nname = plain # text\n[all:children]\ndata # these\n[empty]\n"
        ),
        "ungrouped <a>\n\
         data <data-[1:3]:2222 x=1 y=\"two words\" z=\"\">\n\
         data vars port=9000 name=\"plain # text\"\n\
         all children data\n\
         empty\n"
    );
}

#[test]
fn comments_quotes_and_escapes_are_those_of_shlex() {
    assert_eq!(said("; one\n  # two\nh a=b#c d=1\n"), "ungrouped <h a=\"b\">\n");
    assert_eq!(
        said(r#"h a="x \" \\ \n" b='\n' c=\#d e=x" y"'z'"#),
        "ungrouped <h a=\"x \\\" \\\\ \\\\n\" b=\"\\\\n\" c=\"#d\" e=\"x yz\">\n"
    );
    assert_eq!(said("h a=\"'5'\" b='\"5\"' c='5' d='[1, 2]'"), "ungrouped <h a=\"5\" b=\"5\" c=5 d=[1,2]>\n");
    assert_eq!(said("h\ta=1\tb;c=2"), "ungrouped <h a=1 b;c=2>\n");
}

#[test]
fn headers_take_nearly_any_name_and_a_comment() {
    assert_eq!(said("[a-b.c/é] # x\n[g:hosts]#y\nh"), "a-b.c/é\ng <h>\n");
    assert_eq!(said("[01:03].example.com\n"), "ungrouped <[01:03].example.com>\n");
}

#[test]
fn lines_end_where_python_ends_them() {
    assert_eq!(said("[a]\r\nx v=1\r\n\u{2028}y\x0bz\u{85}\u{a0}w\u{a0}\n"), "a <x v=1> <y> <z> <w>\n");
}

#[test]
fn places_are_those_of_the_value() {
    let (document, _) = document("[g]\n h  key=\"a b\" # c\n[g:vars]\nk = v \n");
    let Body::Hosts(hosts) = &document.sections[0].body else { panic!("hosts") };
    let entry = &hosts[0].vars[0];
    let texts = [&hosts[0].span, &entry.key_span, &entry.value.span].map(|span| &span.source.text[span.range.clone()]);
    assert_eq!(texts, ["h", "key", "\"a b\""]);
    let Body::Vars(vars) = &document.sections[1].body else { panic!("variables") };
    let texts = [&vars[0].key_span, &vars[0].value.span].map(|span| &span.source.text[span.range.clone()]);
    assert_eq!(texts, ["k", "v"]);
}

#[test]
fn every_wrong_line_is_a_problem_and_the_others_are_read() {
    let text = "h a='x\nh key\nname:\n---\n[web:host]\nx\n[we b]\n[g:vars]\nnothing\n=5\na=1\na=2\nb={{ 'x' }}\n[g:children]\na b\nfine\nh \\\n\"\"\n[last]\n\"\"\nh \\\n[web] ; x\n";
    assert_eq!(
        wrong(text),
        "HW0136 hosts:1:5: a quote that the line does not close\n\
         HW0136 hosts:2:3: a host's variable is `name=value`\n\
         HW0136 hosts:3:1: a host's name cannot end in `:`\n\
         HW0136 hosts:4:1: `---` is no host\n\
         HW0136 hosts:5:1: a section cannot hold `host`\n\
         HW0136 hosts:7:1: a header is `[group]`, `[group:children]` or `[group:vars]`\n\
         HW0136 hosts:9:1: a variable of a group is `name=value`\n\
         HW0136 hosts:10:1: a variable without a name\n\
         HW0139 hosts:12:1: `a` is set twice here: the last one wins\n\
         HW0137 hosts:13:3: the value of `b` cannot be read: a list or mapping cannot be in a set\n\
         HW0136 hosts:15:1: a line below `:children` is the name of one group\n\
         HW0136 hosts:17:1: a line below `:children` is the name of one group\n\
         HW0136 hosts:20:1: a host without a name\n\
         HW0136 hosts:21:3: a `\\` with nothing behind it\n\
         HW0136 hosts:22:1: a header is `[group]`, `[group:children]` or `[group:vars]`\n"
    );
}
