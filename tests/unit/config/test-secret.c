/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"

/* clang-format off: a line of source is a line here */
static const struct {
    const char *given, *shown;
} sources[] = {
    /* python source */
    {"SECRET_KEY = \"hunter2\" \\\n"
     "    \"hunter2\"\n"
     "DATABASES = {\n"
     "    'default': {\n"
     "        'ENGINE': 'django.db.backends.postgresql',\n"
     "        'NAME': 'shop',\n"
     "        'USER': 'shop',\n"
     "        'PASSWORD': 'hunter2',\n"
     "        'HOST': 'db.internal',\n"
     "        'PORT': 5432,\n"
     "        \"PASSWORD\": \"hunter2\"\n"
     "                    \"hunter2\",\n"
     "        'CONN_MAX_AGE': 60,\n"
     "    }\n"
     "}\n"
     "SECRETS = [\n"
     "    \"hunter2\",  # old\n"
     "    \"hunter2\",\n"
     "]\n"
     "timeout = 60\n"
     "workers = 4\n"
     "bind = \"unix:/run/gunicorn.sock\"\n"
     "secret = os.environ.get(\"SECRET_KEY\", \"hunter2\")\n"
     "password = os.environ[\"DB_PASSWORD\"]\n"
     "AUTH_PASSWORD_VALIDATORS = [{\"NAME\": \"django.contrib.auth\"}]\n"
     "SESSION_COOKIE_AGE = 3600\n"
     "raw_env = [\n"
     "    'DJANGO_SETTINGS_MODULE=shop.settings',\n"
     "    'DB_PASS=two words hunter2',\n"
     "    \"DATABASE_URL=postgres://a:hunter2@h/db\",\n"
     "    f\"API_TOKEN={x}hunter2\",\n"
     "]\n"
     "os.environ.update({\"SECRET_KEY\": \"hunter2\", \"DEBUG\": \"0\"})\n"
     "os.environ.setdefault(\n"
     "    \"DB_PASSWORD\",\n"
     "    \"hunter2\",\n"
     ")\n"
     "os.environ |= dict(API_KEY=\"hunter2\", LANG=\"C\")\n"
     "SECRET_KEY = config('SECRET_KEY', default='hunter2', cast=str)\n"
     "password = \"\"\n"
     "token: str = \"hunter2\"\n"
     "pw = 'hunter2'; timeout = 30\n",
     "SECRET_KEY = ********\n"
     "********\n"
     "DATABASES = {\n"
     "    'default': {\n"
     "        'ENGINE': 'django.db.backends.postgresql',\n"
     "        'NAME': 'shop',\n"
     "        'USER': 'shop',\n"
     "        'PASSWORD': ********,\n"
     "        'HOST': 'db.internal',\n"
     "        'PORT': 5432,\n"
     "        \"PASSWORD\": ********\n"
     "********,\n"
     "        'CONN_MAX_AGE': 60,\n"
     "    }\n"
     "}\n"
     "SECRETS = ********\n"
     "********\n"
     "********\n"
     "********\n"
     "timeout = 60\n"
     "workers = 4\n"
     "bind = \"unix:/run/gunicorn.sock\"\n"
     "secret = ********\n"
     "password = os.environ[\"DB_PASSWORD\"]\n"
     "AUTH_PASSWORD_VALIDATORS = [{\"NAME\": \"django.contrib.auth\"}]\n"
     "SESSION_COOKIE_AGE = 3600\n"
     "raw_env = [\n"
     "    'DJANGO_SETTINGS_MODULE=shop.settings',\n"
     "    'DB_PASS=********',\n"
     "    \"DATABASE_URL=********\",\n"
     "    f\"API_TOKEN=********\",\n"
     "]\n"
     "os.environ.update({\"SECRET_KEY\": ********, \"DEBUG\": \"0\"})\n"
     "os.environ.setdefault(\n"
     "    \"DB_PASSWORD\",\n"
     "    ********\n"
     ")\n"
     "os.environ |= dict(API_KEY=********, LANG=\"C\")\n"
     "SECRET_KEY = ********\n"
     "password = ********\n"
     "token: ********\n"
     "pw = ********; timeout = 30\n"},
    /* unit files */
    {"[Service]\n"
     "Environment=DEBUG=0 \"DB_PASSWORD=a hunter2\" 'API_KEY=b hunter2' LANG=C\n"
     "Environment=\"A=1\" \\\n"
     "    \"SMTP_PASS=c hunter2\" \\\n"
     "    \"B=2\"\n"
     "Environment=PASSWORD=a,hunter2 X=1\n"
     "Environment=PASSWORD=\n"
     "ExecStart=/srv/venv/bin/gunicorn --env SECRET_KEY=hunter2 --timeout 60 -e \"TOKEN=x hunter2\" app:wsgi\n"
     "SetCredential=db:hunter2 x y\n"
     "LoadCredential=db:/etc/creds/db\n"
     "PassEnvironment=DB_PASSWORD\n"
     "Environment=REDIS_URL=redis://:hunter2@h:6379/0\n"
     "Environment=\"CELERY_BROKER=amqp://u:p/w@hunter2@h:5672//\"\n",
     "[Service]\n"
     "Environment=DEBUG=0 \"DB_PASSWORD=********\" 'API_KEY=********' LANG=C\n"
     "Environment=\"A=1\" \\\n"
     "    \"SMTP_PASS=********\" \\\n"
     "    \"B=2\"\n"
     "Environment=PASSWORD=******** X=1\n"
     "Environment=PASSWORD=********\n"
     "ExecStart=/srv/venv/bin/gunicorn --env SECRET_KEY=******** --timeout 60 -e \"TOKEN=********\" app:wsgi\n"
     "SetCredential=********\n"
     "LoadCredential=db:/etc/creds/db\n"
     "PassEnvironment=DB_PASSWORD\n"
     "Environment=REDIS_URL=********\n"
     "Environment=\"CELERY_BROKER=amqp://u:********@h:5672//\"\n"},
    /* nginx */
    {"    proxy_set_header Authorization \"Basic hunter2\";\n"
     "    proxy_set_header Cookie $http_cookie;\n"
     "    proxy_set_header Host $host;\n"
     "    proxy_set_header X-Real-IP $remote_addr;\n"
     "    proxy_set_header X-Api-Key\n"
     "        hunter2;\n"
     "    fastcgi_param DB_PASSWORD hunter2;\n"
     "    uwsgi_param SECRET_KEY \"hunter2\";\n"
     "    secure_link_secret hunter2;\n"
     "    secure_link_md5 \"$secure_link_expires$uri hunter2\";\n"
     "    set $api_key \"hunter2\"; # rotated\n"
     "    location / { set $token hunter2; proxy_pass http://unix:/run/gunicorn.sock; }\n"
     "    if ($http_x_api_key != \"hunter2\") { return 403; }\n"
     "    if ($http_x_token != hunter2) { return 403; }\n"
     "    map $host $api_token {\n"
     "        default \"hunter2\";\n"
     "        a.example hunter2;\n"
     "    }\n"
     "    proxy_pass http://unix:/run/gunicorn.sock:/;\n"
     "    proxy_pass http://127.0.0.1:8000;\n"
     "    proxy_read_timeout 65s;\n"
     "    ssl_certificate_key /etc/ssl/private/x.key;\n"
     "    auth_basic \"Staff only\";\n"
     "    proxy_cache_key \"$scheme$host$uri\";\n"
     "    limit_req_zone $http_x_api_key zone=one:10m rate=1r/s;\n"
     "    return 302 \"https://x/?token=hunter2&a=b\";\n"
     "    add_header Set-Cookie \"sid=hunter2; Path=/\";\n",
     "    proxy_set_header Authorization ********;\n"
     "    proxy_set_header Cookie $http_cookie;\n"
     "    proxy_set_header Host $host;\n"
     "    proxy_set_header X-Real-IP $remote_addr;\n"
     "    proxy_set_header X-Api-Key\n"
     "        ********;\n"
     "    fastcgi_param DB_PASSWORD ********;\n"
     "    uwsgi_param SECRET_KEY ********;\n"
     "    secure_link_secret ********;\n"
     "    secure_link_md5 ********;\n"
     "    set $api_key ********; # rotated\n"
     "    location / { set $token ********; proxy_pass http://unix:/run/gunicorn.sock; }\n"
     "    if ($http_x_api_key != ********) { return 403; }\n"
     "    if ($http_x_token != ********) { return 403; }\n"
     "    map $host $api_token {\n"
     "        default ********;\n"
     "        a.example ********;\n"
     "    }\n"
     "    proxy_pass http://unix:/run/gunicorn.sock:/;\n"
     "    proxy_pass http://127.0.0.1:8000;\n"
     "    proxy_read_timeout 65s;\n"
     "    ssl_certificate_key /etc/ssl/private/x.key;\n"
     "    auth_basic \"Staff only\";\n"
     "    proxy_cache_key \"$scheme$host$uri\";\n"
     "    limit_req_zone $http_x_api_key zone=one:10m rate=1r/s;\n"
     "    return 302 \"https://x/?token=********\";\n"
     "    add_header Set-Cookie ********;\n"},
    /* keys and tokens */
    {"key = \"-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----\"\n"
     "x = \"-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n-----END RSA PRIVATE KEY-----\"\n"
     "y = \"\"\"-----BEGIN EC PRIVATE KEY-----\n"
     "hunter2\n"
     "-----END EC PRIVATE KEY-----\"\"\"\n"
     "stripe = \"sk_live_hunter2abcdef\"\n"
     "sentry_sdk.init(dsn=\"https://hunter2@o1.ingest.sentry.io/1\")\n"
     "sentry = \"https://0123456789abcdefhunter2@o1.ingest.sentry.io/1\"\n"
     "curl -H \"Cookie: a=b; c=hunter2\" http://x\n"
     "curl -H 'X-Auth-Token: hunter2' http://x\n"
     "headers = {\"Authorization\": \"Bearer hunter2\", \"Accept\": \"*/*\"}\n",
     "key = ********\n"
     "x = \"-----BEGIN RSA PRIVATE KEY-----********-----END RSA PRIVATE KEY-----\"\n"
     "y = \"\"\"-----BEGIN EC PRIVATE KEY-----\n"
     "********\n"
     "-----END EC PRIVATE KEY-----\"\"\"\n"
     "stripe = \"********\"\n"
     "sentry_sdk.init(dsn=********)\n"
     "sentry = ********\n"
     "curl -H \"Cookie: ********\" http://x\n"
     "curl -H 'X-Auth-Token: ********' http://x\n"
     "headers = {\"Authorization\": ********, \"Accept\": \"*/*\"}\n"},
    /* yaml */
    {"secret_key: |\n"
     "  hunter2\n"
     "  hunter2\n"
     "name: x\n"
     "password: two hunter2\n"
     "smtp: {user: a, password: hunter2, port: 25}\n",
     "secret_key: ********\n"
     "********\n"
     "********\n"
     "name: x\n"
     "password: ********\n"
     "smtp: {user: a, password: ********, port: 25}\n"},
    /* more python */
    {"# SECRET_KEY = \"hunter2\"\n"
     "os.putenv(\"DB_PASSWORD\", \"hunter2\")\n"
     "SECRET_KEY = (\n"
     "    \"hunter2\"\n"
     "    \"hunter2\"\n"
     ")\n"
     "PASSWORDS = {\"a\": \"hunter2\", \"b\": (\"hunter2\", \"hunter2\")}\n"
     "pass_ = b'hunter2'\n"
     "os.environ['AWS_SECRET_ACCESS_KEY'] = '''hunter2\n"
     "hunter2'''\n"
     "password=\"a'hunter2\"\n",
     "# SECRET_KEY = ********\n"
     "os.putenv(\"DB_PASSWORD\", ********)\n"
     "SECRET_KEY = ********\n"
     "********\n"
     "********\n"
     "********\n"
     "PASSWORDS = ********\n"
     "pass_ = ********\n"
     "os.environ['AWS_SECRET_ACCESS_KEY'] = ********\n"
     "********\n"
     "password=********\n"},
    /* everyday forms */
    {"raw_env = [\"MAIL_PASS=hunter2\", \"STRIPE_KEY=hunter2\", \"LANG=C\"]\n"
     "broker = \"amqp://user:p@hunter2@rabbit/shop\"\n"
     "redis = \"redis://:pa/hunter2@redis:6379/0\"\n"
     "mail = {\"key\": \"hunter2\", 'pass': 'hunter2'}\n"
     "token = \"\"\"\n"
     "hunter2\n"
     "\"\"\"\n"
     "Environment=\"LANG=C\" \"ROOT_PASS=hunter2\" MAIL_PASS=hunter2\n"
     "    proxy_set_header X-Token hunter2;\n"
     "    proxy_pass http://user:hunter2@10.0.0.1/;\n",
     "raw_env = [\"MAIL_PASS=********\", \"STRIPE_KEY=********\", \"LANG=C\"]\n"
     "broker = \"amqp://user:********@rabbit/shop\"\n"
     "redis = \"redis://:********@redis:6379/0\"\n"
     "mail = {\"key\": ********, 'pass': ********}\n"
     "token = ********\n"
     "********\n"
     "********\n"
     "Environment=\"LANG=C\" \"ROOT_PASS=********\" MAIL_PASS=********\n"
     "    proxy_set_header X-Token ********;\n"
     "    proxy_pass http://user:********@10.0.0.1/;\n"},
};
/* clang-format on */

static void what_a_secret_is_bound_to_is_masked_in_every_language(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        Bytes shown = secret_mask_source(arena, bytes_of(sources[i].given));
        assert_string_equal(shown.data, sources[i].shown);
        assert_null(strstr(shown.data, "hunter2"));
        assert_string_equal(secret_mask_source(arena, shown).data, shown.data);
    }
}

static void what_sounds_like_a_secret_and_is_none_stays_readable(void **state)
{
    static const char *const harmless[] = {
        "timeout = 60",
        "keyfile = \"/etc/ssl/private/site.key\"",
        "keepalive = 5",
        "proxy_pass http://unix:/run/gunicorn.sock;",
        "proxy_pass_header Set-Cookie;",
        "proxy_cookie_path / \"/; Secure\";",
        "server_tokens off;",
        "auth_basic_user_file /etc/nginx/htpasswd;",
        "PrivateTmp=yes",
        "KeyringMode=private",
        "PassEnvironment=DB_PASSWORD",
        "LoadCredential=db:/etc/credentials/db",
        "SESSION_COOKIE_SECURE = True",
        "PASSWORD_RESET_TIMEOUT = 3600",
        "CACHES = {\"default\": {\"KEY_PREFIX\": \"shop\"}}",
        "names = [\"password\", \"user\"]",
        "http://127.0.0.1:8000/users/?to=me@example.org",
        "PWD=/srv/app",
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        assert_string_equal(secret_mask_source(arena, bytes_of(harmless[i])).data, harmless[i]);
}

static void sentences_about_secrets_stay_readable(void **state)
{
    static const char *const sentences[] = {
        "the token expired an hour ago",
        "/srv/app/.token: No such file or directory",
        "/etc/nginx/conf.d/secret.conf:3:4: unexpected \";\"",
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
        assert_string_equal(secret_mask_text(arena, sentences[i]), sentences[i]);
}

static void a_record_keeps_values_masked(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *values = node_map(arena);
    node_set_text(arena, values, "db_password", "hunter2");
    node_set_text(arena, values, "endpoint", "http://me:hunter2@127.0.0.1/");
    node_set_int(arena, values, "timeout", 60);
    assert_string_equal(secret_json(arena, values),
                        "{\"db_password\":\"********\",\"endpoint\":\"http://me:********@127.0.0.1/\",\"timeout\":60}");
    assert_string_equal(node_get_text(values, "db_password"), "hunter2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_secret_is_bound_to_is_masked_in_every_language),
        cmocka_unit_test(what_sounds_like_a_secret_and_is_none_stays_readable),
        cmocka_unit_test(sentences_about_secrets_stay_readable),
        cmocka_unit_test(a_record_keeps_values_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
