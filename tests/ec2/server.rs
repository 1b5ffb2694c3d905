//! Answers of EC2's, page by page, and what goes wrong on the way.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::http::{Reply, Stub};

/// Instances that a page has.
pub const PAGE: usize = 5;

/// What comes instead of an answer.
#[derive(Clone)]
pub enum Fault {
    /// An error of the API's, with its status, code and message.
    Error(u16, &'static str, &'static str),
    /// Something that is none of EC2's answers.
    Text(u16, &'static str),
    /// Nothing, and no end.
    Silence,
    /// The connection ends in the middle.
    HangUp,
}

impl Fault {
    fn reply(&self) -> Reply {
        match self {
            Self::Error(status, code, message) => {
                let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
                xml(*status, format!("<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>"))
            }
            Self::Text(status, text) => Reply::Say(*status, "Content-Type: text/html\r\n", (*text).to_owned()),
            Self::Silence => Reply::Silence,
            Self::HangUp => Reply::HangUp,
        }
    }
}

/// When the fault happens.
#[derive(Clone, Copy)]
pub enum When {
    Never,
    Always,
    /// To the first requests, so many.
    First(usize),
    /// To every request for this page, counted from 1.
    Page(usize),
    /// To every request with this action.
    Action(&'static str),
}

/// A region with so many stateless hosts.
pub async fn region(size: usize, when: When, fault: Fault) -> Stub {
    let requests = AtomicUsize::new(0);
    Stub::start(move |body| {
        let request = requests.fetch_add(1, Ordering::SeqCst);
        let value = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let action = value("Action").unwrap_or_default();
        let page = value("NextToken").map_or(1, |token| token.parse().unwrap());
        let faulty = match when {
            When::Never => false,
            When::Always => true,
            When::First(number) => request < number,
            When::Page(number) => action == "DescribeInstances" && page == number,
            When::Action(name) => action == name,
        };
        if faulty {
            return fault.reply();
        }
        match action {
            "DescribeInstances" => instances(size, page),
            "DescribeInstanceTypes" => types(),
            other => panic!("nobody asks for `{other}`"),
        }
    })
    .await
}

fn instances(size: usize, page: usize) -> Reply {
    let here = (page - 1) * PAGE..size.min(page * PAGE);
    let instance = |n: usize| {
        let tag = |key: &str, value: &str| format!("<item><key>{key}</key><value>{value}</value></item>");
        format!(
            "<item><instanceId>i-{n:03}</instanceId><instanceType>i4i.large</instanceType>\
             <placement><availabilityZone>eu-west-1a</availabilityZone></placement>\
             <instanceState><code>16</code><name>running</name></instanceState>\
             <privateIpAddress>10.0.0.{n}</privateIpAddress><launchTime>2026-11-22T12:00:00.000Z</launchTime>\
             <tagSet>{}{}</tagSet></item>",
            tag("Name", &format!("small-{n}")),
            tag("Role", "small"),
        )
    };
    let items: String = here.map(instance).collect();
    let more = if page * PAGE < size { format!("<nextToken>{}</nextToken>", page + 1) } else { String::new() };
    xml(
        200,
        format!(
            "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><reservationSet>\
             <item><reservationId>r-{page}</reservationId><ownerId>1</ownerId><instancesSet>{items}</instancesSet></item>\
             </reservationSet>{more}</DescribeInstancesResponse>"
        ),
    )
}

fn types() -> Reply {
    xml(
        200,
        "<DescribeInstanceTypesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><instanceTypeSet><item>\
         <instanceType>i4i.large</instanceType><instanceStorageInfo><totalSizeInGB>468</totalSizeInGB><disks><item>\
         <count>1</count><sizeInGB>468</sizeInGB><type>ssd</type></item></disks><nvmeSupport>required</nvmeSupport>\
         </instanceStorageInfo></item></instanceTypeSet></DescribeInstanceTypesResponse>"
            .to_owned(),
    )
}

fn xml(status: u16, text: String) -> Reply {
    Reply::Say(status, "Content-Type: text/xml;charset=UTF-8\r\n", text)
}
