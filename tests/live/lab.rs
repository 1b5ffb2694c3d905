//! The lab itself: it comes up, answers, refuses to be two, and leaves nothing.

use std::net::Ipv4Addr;

use housewright::lab::{
    BrokerChoice, LAB_NAMESPACE, LabCondition, LabError, LabHost, LabHostKind, LabSpec, Running, Which, down, exec,
    produce, status, up,
};

fn host(name: &str, last: u8, kind: LabHostKind) -> LabHost {
    LabHost { name: name.to_owned(), address: Ipv4Addr::new(10, 77, 9, last), kind }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn hosts_come_up_answer_and_leave_nothing() -> Result<(), LabError> {
    let _turn = crate::fleet::turn();
    let state_dir = std::env::temp_dir().join(format!("live-lab-{}", std::process::id()));
    let say = |text: &str| eprintln!("{text}");
    let hosts = vec![host("one", 1, LabHostKind::Data), host("two", 2, LabHostKind::Ingestion)];
    let spec = LabSpec { state_dir: state_dir.clone(), broker: BrokerChoice::Mock, ..LabSpec::new(hosts) };

    up(&spec, &say)?;
    assert_eq!(status(&state_dir)?.condition, LabCondition::Up);
    assert!(exec(&state_dir, &words("ssh one sudo systemctl start clickhouse-server"))?.success());
    assert!(exec(&state_dir, &words("ssh one curl -sSf http://localhost:8123/ping"))?.success());
    assert_eq!(exec(&state_dir, &words("ssh root@two exit 7"))?.code(), Some(7));
    assert_eq!(produce(&state_dir, ("two", Which::Broker), "events", &words("{} {} {}"))?, 3);

    // Another lab is refused; a host that was switched off comes back, with what it had.
    let other = LabSpec { hosts: vec![host("three", 3, LabHostKind::SshOnly)], ..spec.clone() };
    assert!(matches!(up(&other, &say), Err(LabError::Different(_))));
    exec(&state_dir, &words("ssh root@one touch /etc/kept; systemctl poweroff --force"))?;
    while status(&state_dir)?.hosts[0].running != Running::No {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(status(&state_dir)?.condition, LabCondition::Degraded);
    up(&spec, &say)?;
    assert!(exec(&state_dir, &words("ssh one test -e /etc/kept"))?.success());

    down(&state_dir, &say)?;
    down(&state_dir, &say)?;
    assert!(!state_dir.exists());
    assert!(!std::path::Path::new("/run/netns").join(LAB_NAMESPACE).exists());
    assert!(matches!(exec(&state_dir, &words("true")), Err(LabError::NotUp(_))));
    Ok(())
}
