#!/bin/sh
# Turns a fresh Debian tree ($1) into what the cloud gives: accounts, sshd, systemd, and nothing of ours.
set -eu
root=$1

# Accounts. A locked password ('!') would make sshd refuse keys too, as it does not use PAM here; '*' does not.
chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash --password '*' deploy
chroot "$root" usermod --password '*' root
echo 'deploy ALL=(ALL) NOPASSWD:ALL' > "$root/etc/sudoers.d/deploy"
chmod 0440 "$root/etc/sudoers.d/deploy"

# sshd: keys only, no PAM; every host gets its own key from the lab.
rm -f "$root"/etc/ssh/ssh_host_*
cat > "$root/etc/ssh/sshd_config.d/lab.conf" <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
AuthorizedKeysFile /etc/ssh/lab_authorized_keys .ssh/authorized_keys
PrintMotd no
PrintLastLog no
END

# systemd: nothing that a machine in a namespace does not need.
: > "$root/etc/machine-id"
rm -f "$root/etc/hostname"
for unit in nvmf-autoconnect.service systemd-networkd-wait-online.service console-getty.service \
    getty@.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service mdmonitor.service mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer \
    systemd-timesyncd.service nvmefc-boot-connections.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done

# logind only when someone asks for it, as `systemctl reboot` does.
rm -f "$root/usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service"
