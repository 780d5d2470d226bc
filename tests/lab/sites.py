# SPDX-License-Identifier: Apache-2.0
"""The nginx sites of a lab host, in the shape of the runbook's."""

UPSTREAMS = {"tcp": "127.0.0.1:8000", "unix": "unix:/run/gunicorn/gunicorn.sock", "socket": "unix:/run/gunicorn.sock"}

PROXY_HEADERS = """\
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Port $server_port;
"""

CERTIFICATE = """\
    ssl_certificate /etc/ssl/site/fullchain.pem;
    ssl_certificate_key /etc/ssl/site/privkey.pem;
"""

TLS = "    listen 443 ssl http2;\n" + CERTIFICATE


def upstream(spec):
    return f"upstream django_app {{\n    server {UPSTREAMS[spec.bind]};\n}}\n\n"


def proxy_pass(spec):
    if spec.nginx != "direct":
        return "http://django_app"
    server = UPSTREAMS[spec.bind]
    return f"http://{server}:" if server.startswith("unix:") else f"http://{server}"


def site(spec, listen, names, extra=""):
    read_timeout = f"        proxy_read_timeout {spec.proxy_read_timeout};\n" if spec.proxy_read_timeout else ""
    return (f"server {{\n    listen {listen};\n{extra}    server_name {names};\n\n"
            "    location /static/ {\n        alias /srv/site/shared/static/;\n    }\n\n"
            "    location /media/ {\n        alias /srv/site/shared/media/;\n    }\n\n"
            f"    location / {{\n        proxy_pass {proxy_pass(spec)};\n{PROXY_HEADERS}"
            f"        proxy_connect_timeout 5s;\n{read_timeout}        proxy_send_timeout 60s;\n"
            "        proxy_redirect off;\n    }\n}\n")


def redirect_to_https():
    return ("server {\n    listen 80 default_server;\n    server_name site.test;\n"
            "    return 301 https://$host$request_uri;\n}\n\n")


def files_only_site():
    return "server {\n    listen 80;\n    server_name files.test;\n    root /srv/site/shared/static;\n}\n"


def install_nginx(tree, spec):
    block = "" if spec.nginx == "direct" else upstream(spec)
    chosen = {"site": block + site(spec, "80 default_server", "site.test")}
    if spec.nginx == "sites":
        chosen = {"site": block + site(spec, "80 default_server", "site.test", extra=TLS),
                  "shop": site(spec, "80", "shop.test"),
                  "files": files_only_site()}
    if spec.nginx == "secure":
        chosen = {"site": block + redirect_to_https() + site(spec, "443 ssl", "site.test", extra=CERTIFICATE)}
    for name, text in chosen.items():
        tree.write(f"/etc/nginx/sites-available/{name}", text)
        tree.link(f"/etc/nginx/sites-available/{name}", f"/etc/nginx/sites-enabled/{name}")
    tree.enable("nginx.service")
