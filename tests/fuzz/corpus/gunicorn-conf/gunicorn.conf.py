"""Settings of the server; timeout = 5 is not one."""
import multiprocessing
import os

bind = "unix:/run/gunicorn.sock"
workers = multiprocessing.cpu_count() * 2 + 1
timeout = 30
graceful_timeout = 0x1e; keepalive = 2
loglevel = os.environ.get("LEVEL", 'info')
accesslog = '-'
preload_app = True
raw_env = [
    "A=b",  # timeout = 7
]
if os.environ.get("DEBUG"):
    reload = True


def post_fork(server, worker):
    global threads
    threads = 4
