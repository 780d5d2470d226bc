# SPDX-License-Identifier: Apache-2.0
# Run by root.py inside the freshly unpacked root: what every lab host has in common beyond its packages.
set -eu

# The site's own user, as on the hosts that the runbook speaks of.
useradd --system --user-group --home-dir /srv/site --no-create-home --shell /usr/sbin/nologin django
install -d -m 0755 /srv/site /srv/site/releases /srv/site/shared/static /srv/site/shared/media /var/lib/site
install -d -m 0755 /etc/site /etc/ssl/site
echo 'served by nginx' >/srv/site/shared/static/hello.txt

# Nothing may run by the clock: it would change units and files under a test's feet.
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim systemd-tmpfiles-clean; do
    ln -sf /dev/null "/etc/systemd/system/$timer.timer"
done
systemctl --quiet set-default multi-user.target
systemctl --quiet mask console-getty.service getty@tty1.service getty.target systemd-firstboot.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-networkd.service e2scrub_reap.service
# Cannot work in a container and would leave a host degraded from the start.
systemctl --quiet mask sys-fs-fuse-connections.mount dev-hugepages.mount modprobe@.service

# Hosts bring their own sites, or none.
rm -f /etc/nginx/sites-enabled/default /etc/nginx/sites-available/default
systemctl --quiet disable nginx.service

# The name site.test for everybody on the host, and a certificate for it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=site.test \
    -addext subjectAltName=DNS:site.test,DNS:shop.test -keyout /etc/ssl/site/privkey.pem -out /etc/ssl/site/fullchain.pem
chmod 0600 /etc/ssl/site/privkey.pem

# Taken at boot from each host's own files.
rm -f /etc/hostname /etc/machine-id /etc/resolv.conf
