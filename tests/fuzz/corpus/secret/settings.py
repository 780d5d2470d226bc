SECRET_KEY = "hunter2" \
    "hunter2"
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': 'shop',
        'USER': 'shop',
        'PASSWORD': 'hunter2',
        'HOST': 'db.internal',
        'PORT': 5432,
        "PASSWORD": "hunter2"
                    "hunter2",
        'CONN_MAX_AGE': 60,
    }
}
SECRETS = [
    "hunter2",  # old
    "hunter2",
]
timeout = 60
workers = 4
bind = "unix:/run/gunicorn.sock"
secret = os.environ.get("SECRET_KEY", "hunter2")
password = os.environ["DB_PASSWORD"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth"}]
SESSION_COOKIE_AGE = 3600
raw_env = [
    'DJANGO_SETTINGS_MODULE=shop.settings',
    'DB_PASS=two words hunter2',
    "DATABASE_URL=postgres://a:hunter2@h/db",
    f"API_TOKEN={x}hunter2",
]
os.environ.update({"SECRET_KEY": "hunter2", "DEBUG": "0"})
os.environ.setdefault(
    "DB_PASSWORD",
    "hunter2",
)
os.environ |= dict(API_KEY="hunter2", LANG="C")
SECRET_KEY = config('SECRET_KEY', default='hunter2', cast=str)
password = ""
token: str = "hunter2"
pw = 'hunter2'; timeout = 30
