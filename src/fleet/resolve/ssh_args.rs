//! Reads the ssh arguments of an inventory (pure): those that Housewright follows, and never silently another.

use std::time::Duration;

use crate::fleet::{HostKeyPolicy, JumpHost, Proxy};
use crate::inventory::Node;
use crate::problem::Problem;

/// What ssh arguments say; as in ssh, the first value of an option wins.
#[derive(Debug, Default)]
pub(super) struct SshArgs {
    pub(super) known_hosts: Vec<String>,
    pub(super) host_key_policy: Option<HostKeyPolicy>,
    /// A bastion's user is empty where the arguments say none.
    pub(super) proxy: Option<Proxy>,
    pub(super) identity_files: Vec<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
}

/// Options that have no meaning for Housewright's own SSH, or that it always does so.
const WITHOUT_EFFECT: [&str; 11] = [
    "controlmaster",
    "controlpersist",
    "controlpath",
    "batchmode",
    "loglevel",
    "passwordauthentication",
    "kbdinteractiveauthentication",
    "identitiesonly",
    "serveraliveinterval",
    "serveralivecountmax",
    "compression",
];

/// Adds a variable's arguments to those that are there.
pub(super) fn read(node: &Node, args: &mut SshArgs, problems: &mut Vec<Problem>) {
    let Some(text) = node.text() else { return };
    let Some(words) = words(text) else {
        problems.push(Problem::new("HW0312", "ssh arguments with an open quotation mark").at(&node.span));
        return;
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut chars = word.chars();
        let (dash, letter, rest) = (chars.next(), chars.next(), chars.as_str());
        let Some(letter @ ('o' | 'J' | 'i' | 'p' | 'l')) = letter.filter(|_| dash == Some('-')) else {
            if !matches!(word.as_str(), "-C" | "-q" | "-4" | "-6") {
                ignored(&word, node, problems);
            }
            continue;
        };
        let Some(value) = (if rest.is_empty() { words.next() } else { Some(rest.to_owned()) }) else {
            problems.push(Problem::new("HW0312", format!("ssh's `-{letter}` lacks its value")).at(&node.span));
            return;
        };
        let (option, value) = match letter {
            'o' => match value.split_once(['=', ' ']) {
                Some((option, value)) => (option.trim().to_owned(), value.trim().trim_matches('"').to_owned()),
                None => (value, String::new()),
            },
            'J' => ("ProxyJump".to_owned(), value),
            'i' => ("IdentityFile".to_owned(), value),
            'p' => ("Port".to_owned(), value),
            _ => ("User".to_owned(), value),
        };
        option_value(&option, &value, node, args, problems);
    }
}

fn option_value(option: &str, value: &str, node: &Node, args: &mut SshArgs, problems: &mut Vec<Problem>) {
    match option.to_lowercase().as_str() {
        "userknownhostsfile" => known_hosts(value, node, args, problems),
        "stricthostkeychecking" => match value {
            "yes" | "ask" => args.host_key_policy = args.host_key_policy.or(Some(HostKeyPolicy::Strict)),
            "accept-new" => args.host_key_policy = args.host_key_policy.or(Some(HostKeyPolicy::AcceptNew)),
            _ => {
                let message = format!("`StrictHostKeyChecking={value}` lets anybody pose as this host");
                problems.push(
                    Problem::new("HW0311", message).at(&node.span).hint("write `accept-new`, or collect the keys"),
                );
            }
        },
        "proxyjump" | "proxycommand" if value == "none" => {}
        "proxyjump" => match jump(value) {
            Ok(jump) => args.proxy = args.proxy.take().or(Some(Proxy::Jump(jump))),
            Err(why) => problems.push(Problem::new("HW0312", format!("`ProxyJump={value}`: {why}")).at(&node.span)),
        },
        "proxycommand" => {
            let proxy = bastion(value).map_or_else(|| Proxy::Command(value.to_owned()), Proxy::Jump);
            args.proxy = args.proxy.take().or(Some(proxy));
        }
        "identityfile" => args.identity_files.push(value.to_owned()),
        "user" => args.user = args.user.take().or_else(|| Some(value.to_owned())),
        "port" => match value.parse().ok().filter(|port| *port > 0) {
            Some(port) => args.port = args.port.or(Some(port)),
            None => problems.push(Problem::new("HW0312", format!("`{value}` is not a port")).at(&node.span)),
        },
        "connecttimeout" => match value.parse().ok().filter(|seconds| *seconds > 0) {
            Some(seconds) => args.connect_timeout = args.connect_timeout.or(Some(Duration::from_secs(seconds))),
            None => problems.push(Problem::new("HW0312", format!("`{value}` is not a time in seconds")).at(&node.span)),
        },
        known if WITHOUT_EFFECT.contains(&known) => {}
        _ => ignored(&format!("-o {option}"), node, problems),
    }
}

fn known_hosts(value: &str, node: &Node, args: &mut SshArgs, problems: &mut Vec<Problem>) {
    let files: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
    if files.iter().any(|file| file == "/dev/null") {
        let message = "`UserKnownHostsFile=/dev/null` forgets every host key";
        problems.push(Problem::new("HW0311", message).at(&node.span).hint("name a file that is kept"));
    } else if args.known_hosts.is_empty() {
        args.known_hosts = files;
    }
}

/// `[user@]host[:port]`, `[user@][ipv6]:port` or either as `ssh://...`.
fn jump(text: &str) -> Result<JumpHost, &'static str> {
    if text.contains(',') {
        return Err("only one bastion is supported");
    }
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (address, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, behind)) => (address, behind.strip_prefix(':')),
        None => match host.split_once(':') {
            Some((_, port)) if port.contains(':') => (host, None),
            Some((address, port)) => (address, Some(port)),
            None => (host, None),
        },
    };
    if address.is_empty() {
        return Err("it names no host");
    }
    let port = match port {
        None => 22,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("its port is not a number from 1 to 65535")?,
    };
    Ok(JumpHost { address: address.to_owned(), port, user: user.to_owned() })
}

/// The bastion of `ssh -W %h:%p [-q] [-p PORT] [-l USER] [USER@]BASTION`: all hosts can share one connection to it.
/// A command with other options is run as it is.
fn bastion(command: &str) -> Option<JumpHost> {
    let words = words(command)?;
    let mut words = words.iter().map(String::as_str);
    words.next().filter(|program| *program == "ssh" || program.ends_with("/ssh"))?;
    let (mut forwards, mut port, mut user, mut host) = (false, None, None, None);
    while let Some(word) = words.next() {
        match word {
            "-q" | "-T" | "-x" => {}
            "-W" => forwards = matches!(words.next(), Some("%h:%p" | "[%h]:%p")),
            "-p" => port = Some(words.next()?.parse().ok().filter(|port| *port > 0)?),
            "-l" => user = Some(words.next()?.to_owned()),
            _ if word.starts_with('-') || host.is_some() => return None,
            _ => host = Some(jump(word).ok()?),
        }
    }
    let host = host.filter(|_| forwards)?;
    Some(JumpHost { port: port.unwrap_or(host.port), user: user.unwrap_or(host.user), ..host })
}

fn ignored(what: &str, node: &Node, problems: &mut Vec<Problem>) {
    problems.push(Problem::note("HW0313", format!("the ssh argument `{what}` is not followed")).at(&node.span));
}

/// Splits as a shell does; none where a quotation stays open.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut begun, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => word.extend(chars.next()),
            (c, Some(_)) => word.push(c),
            ('\'' | '"', None) => (quote, begun) = (Some(c), true),
            (c, None) if c.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (c, None) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let split = |text| words(text).unwrap();
        assert_eq!(split(r#"-o A=b  -o "C=d e" '' f\ g"#), ["-o", "A=b", "-o", "C=d e", "", "f g"]);
        assert_eq!(words("-o 'A"), None);
    }

    #[test]
    fn bastions_are_read_in_every_form() {
        let read = |text: &str| jump(text).map(|jump| (jump.user, jump.address, jump.port));
        let made = |user: &str, address: &str, port| Ok((user.to_owned(), address.to_owned(), port));
        assert_eq!(read("bastion"), made("", "bastion", 22));
        assert_eq!(read("deploy@bastion:2222"), made("deploy", "bastion", 2222));
        assert_eq!(read("ssh://deploy@[fe80::1]:2222"), made("deploy", "fe80::1", 2222));
        assert_eq!(read("fe80::1"), made("", "fe80::1", 22));
        let by_command = |text: &str| bastion(text).map(|jump| (jump.user, jump.address, jump.port));
        assert_eq!(by_command("ssh -q -W %h:%p me@bastion"), made("me", "bastion", 22).ok());
        assert_eq!(by_command("/usr/bin/ssh -p 2222 -l me -W [%h]:%p bastion"), made("me", "bastion", 2222).ok());
        assert_eq!(by_command("ssh -i key -W %h:%p bastion"), None);
        assert_eq!(by_command("ssh bastion nc %h %p"), None);
        assert_eq!(by_command("aws ssm start-session --target %h"), None);
        assert_eq!(read("a,b"), Err("only one bastion is supported"));
        assert_eq!(read("a:x"), Err("its port is not a number from 1 to 65535"));
    }
}
