#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a person would script for the job of run-bench: Gunicorn's timeout and nginx's patience, tested before and after.
# There is no snapshot, no proof and no way back in it.
set -eu
dropin=/etc/systemd/system/gunicorn.service.d
site=/etc/nginx/sites-available/site
since=$(date '+%F %T')

mkdir -p $dropin
cat >$dropin/timeout.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 3 --timeout 5 --graceful-timeout 2 project.wsgi:application
UNIT
sed -i 's/proxy_read_timeout 3s;/proxy_read_timeout 10s;/' $site
nginx -t -q
(
    set -a
    . /etc/site/gunicorn.env
    cd /srv/site/current
    setpriv --reuid=django --regid=www-data --init-groups env PYTHONDONTWRITEBYTECODE=1 \
        gunicorn --check-config --bind 127.0.0.1:8000 --workers 3 --timeout 5 project.wsgi:application
)
systemctl daemon-reload
systemctl reload nginx
systemctl restart gunicorn
curl --silent --fail --output /dev/null http://127.0.0.1/health/
! journalctl --quiet --unit gunicorn --since "$since" --grep 'WORKER TIMEOUT' --output cat | grep -q .
