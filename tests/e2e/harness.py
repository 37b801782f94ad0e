"""Starts a Congvu demo on free ports for one test class, talks to it, kills it.

Every story uses the program itself (env CONGVU) and clients that others wrote.
"""

import imaplib
import json
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

PROGRAM = os.environ.get("CONGVU", str(Path(__file__).parents[2] / "target/debug/congvu"))
ROOT = Path(__file__).parents[2]


def free_port_base():
    """A port base whose standard ports (base + 24 … 4190) are free just now."""
    for base in range(20000, 60000, 5000):
        offset = base + (os.getpid() * 37 + int(time.time() * 1000)) % 700
        if all(is_free(offset + port) for port in (24, 25, 80, 143, 443, 465, 587, 993)):
            return offset
    raise RuntimeError("no free range of ports")


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Server:
    """A running demo."""

    def __init__(self, *arguments, directory=None, prefix=(), environment=None):
        self.own = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="congvu-e2e-"))
        self.base = free_port_base()
        self.arguments = arguments
        self.prefix = list(prefix)
        self.environment = environment or {}
        self.process = None
        self.start()

    def start(self):
        log = open(self.directory / "server.log", "ab")
        command = [*self.prefix, PROGRAM, "demo", "--data", str(self.directory / "data"),
                   "--port-base", str(self.base), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                        start_new_session=True, env={**os.environ, **self.environment})
        log.close()
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the demo did not start: {line!r}\n{self.log()}")
        self.demo = json.loads((self.directory / "data/demo.json").read_text())
        self.http = self.demo["http"]

    def log(self):
        return (self.directory / "server.log").read_text(errors="replace")[-4000:]

    def port(self, name):
        return self.demo["ports"][name]

    def person(self, role):
        """The first person who has this role."""
        return next(p for p in self.demo["people"] if role in p["roles"])

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Asks politely; the server has a few seconds."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        if self.own:
            shutil.rmtree(self.directory, ignore_errors=True)

    def imap(self, person, account=None):
        client = imaplib.IMAP4("127.0.0.1", self.port("imap"))
        login = person["username"] + (f"/{account}" if account else "")
        client.login(login, person["password"])
        return client

    def submission(self, person):
        client = smtplib.SMTP("127.0.0.1", self.port("submission"), timeout=30)
        client.starttls(context=self.tls())
        client.login(person["username"], person["password"])
        return client

    def tls(self):
        context = ssl.create_default_context(cafile=self.demo["ca"])
        context.check_hostname = False
        return context

    def cli(self, *arguments, check=True, environment=None):
        """Runs a `congvu` command on the demo's data."""
        done = subprocess.run([PROGRAM, *arguments, "--config", str(self.directory / "data/congvu.toml")],
                              capture_output=True, text=True, timeout=120, env={**os.environ, **(environment or {})})
        if check and done.returncode != 0:
            raise AssertionError(f"congvu {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done


class Browser:
    """A REST client with a session."""

    def __init__(self, server, person):
        self.server = server
        self.cookie = None
        self.csrf = None
        status, body, headers = self.call("POST", "/api/v1/session",
                                          {"login": person["username"], "password": person["password"]})
        if status != 200:
            raise AssertionError(f"sign-in: {status} {body}")
        self.cookie = headers["Set-Cookie"].split(";")[0]
        self.csrf = body["csrf"]
        self.me = body["person"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.server.http + path, method=method)
        request.add_header("Accept-Language", "vi")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        if self.csrf:
            request.add_header("X-CSRF-Token", self.csrf)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                raw, status, headers = answer.read(), answer.status, answer.headers
        except urllib.error.HTTPError as refused:
            raw, status, headers = refused.read(), refused.code, refused.headers
        parsed = json.loads(raw) if raw and "json" in headers.get("Content-Type", "") else raw
        return status, parsed, headers


class Sink:
    """Another real mail server: Postfix's smtp-sink, writing what it got to files."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="congvu-sink-"))
        os.chmod(self.directory, 0o777)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = ["smtp-sink", "-d", str(self.directory) + "/m."]
        if os.geteuid() == 0:
            arguments[1:1] = ["-u", "postfix"]
        self.process = subprocess.Popen([*arguments, f"127.0.0.1:{self.port}", "100"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def messages(self):
        found = []
        for path in sorted(self.directory.glob("m.*")):
            raw = path.read_bytes()
            if raw:
                found.append(raw)
        return found

    def wait_for(self, words, seconds=30):
        """The first message that holds these words, however long it takes up to the deadline."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for raw in self.messages():
                if words.encode() in raw:
                    return raw
            time.sleep(0.05)
        raise AssertionError(f"the remote server never got {words!r}")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Story(unittest.TestCase):
    """A test class with one demo for all its tests."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()


def eventually(check, seconds=20):
    """Runs `check` until it returns something true; its last answer else."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def in_background(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread
