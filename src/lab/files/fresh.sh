#!/bin/sh
# Turns a fresh Debian tree ($1) into a host that only answers SSH, and fills a repository ($2) with what Housewright installs on
# it: Debian's own packages with all that they need, and ClickHouse's under the names and with the scripts of the real ones.
set -eu
root=$1
repository=$2
here=$(dirname "$0")
sh "$here/host.sh" "$root"

rm -rf "$repository"
mkdir -p "$repository"
chroot "$root" apt-get -q -y --no-install-recommends --download-only install zookeeper mdadm xfsprogs
cp "$root"/var/cache/apt/archives/*.deb "$repository/"

# One binary under two numbers, so that there is a version to go to.
packages=$repository/build
for version in 25.8.2.1 25.8.2.2; do
    rm -rf "$packages"
    server=$packages/clickhouse-server
    common=$packages/clickhouse-common-static
    client=$packages/clickhouse-client
    sh "$here/layout.sh" "$server"
    mkdir -p "$common/usr/bin" "$client/usr/bin"
    rm -rf "$server/var" "$server/opt" "$server/etc/clickhouse-server/config.d" "$server/etc/clickhouse-server/users.d"
    mv "$server/usr/bin/clickhouse" "$server/usr/bin/clickhouse-local" "$common/usr/bin/"
    mv "$server/usr/bin/clickhouse-client" "$client/usr/bin/"
    for package in clickhouse-common-static clickhouse-client clickhouse-server; do
        mkdir -p "$packages/$package/DEBIAN"
        {
            echo "Package: $package"
            echo "Version: $version"
            echo "Architecture: $(dpkg --print-architecture)"
            echo "Maintainer: Housewright's lab <lab@localhost>"
            [ "$package" = clickhouse-common-static ] || echo "Depends: clickhouse-common-static (= $version)"
            echo "Description: ClickHouse, of the lab"
            echo " The binary is the one that the lab brings to all of its hosts."
        } > "$packages/$package/DEBIAN/control"
    done
    printf '%s\n' /etc/clickhouse-server/config.xml /etc/clickhouse-server/users.xml > "$server/DEBIAN/conffiles"
    cat > "$server/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    getent group clickhouse >/dev/null || groupadd --system clickhouse
    getent passwd clickhouse >/dev/null ||
        useradd --system --gid clickhouse --home-dir /nonexistent --no-create-home --shell /bin/false clickhouse
    install -d -o clickhouse -g clickhouse -m 0750 /var/lib/clickhouse /var/log/clickhouse-server
    chown clickhouse:clickhouse /etc/clickhouse-server /etc/clickhouse-server/*.xml
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
fi
END
    chmod 0755 "$server/DEBIAN/postinst"
    for package in clickhouse-common-static clickhouse-client clickhouse-server; do
        dpkg-deb --root-owner-group -b "$packages/$package" "$repository/${package}_$version.deb" >/dev/null
    done
done
rm -rf "$packages"

# A flat repository, see sources.list(5), signed by a key that exists for this moment only.
cd "$repository"
for deb in *.deb; do
    dpkg-deb -f "$deb"
    echo "Filename: ./$deb"
    echo "Size: $(stat -c %s "$deb")"
    echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
    echo
done > Packages
{
    echo "Origin: lab"
    echo "Suite: lab"
    echo "Date: $(date -Ru)"
    echo "SHA256:"
    echo " $(sha256sum Packages | cut -d ' ' -f 1) $(stat -c %s Packages) Packages"
} > Release
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
gpg --homedir "$keys" --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key 'lab <lab@localhost>' ed25519 sign never
gpg --homedir "$keys" --batch --quiet --clearsign --output InRelease Release
gpg --homedir "$keys" --batch --quiet --armor --export > key.asc
gpgconf --homedir "$keys" --kill all
chmod -R a+rX "$repository"

# Its distribution's mirror is not in the lab's network.
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
