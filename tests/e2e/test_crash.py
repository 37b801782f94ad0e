"""Everything acknowledged survives SIGKILL: mail, flags, submissions and decisions, on both engines.

The server is killed at random moments under load and started again on the same data; then every message, flag and decision
that was acknowledged is looked for.
"""

import imaplib
import os
import random
import smtplib
import subprocess
import threading
import time
import unittest
import uuid

from harness import Browser, Server
from test_agency_mail import AGENCY, letter, mailbox

OWN = "ketoantruong.bqlctgt@khanhhoa.example"
ROUNDS = int(os.environ.get("CONGVU_CRASHES", "50"))


class Load:
    """Clients that write down what was acknowledged to them, until the server dies under them."""

    def __init__(self, server):
        self.server = server
        self.delivered, self.flagged, self.held, self.decided = set(), set(), set(), {}
        self.asked = set()
        self.stop = threading.Event()

    def run(self, seconds):
        threads = [threading.Thread(target=t, daemon=True)
                   for t in (self.deliver, self.deliver, self.flag, self.submit, self.decide)]
        self.stop.clear()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.server.kill()
        self.stop.set()
        for thread in threads:
            thread.join(30)

    def deliver(self):
        try:
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=20) as client:
                while not self.stop.is_set():
                    name = uuid.uuid4().hex
                    client.sendmail("sonoivu@gov.example", [OWN], f"From: sonoivu@gov.example\r\nSubject: {name}\r\n\r\n{name}\r\n")
                    self.delivered.add(name)
        except (OSError, smtplib.SMTPException):
            pass

    def flag(self):
        try:
            client = self.server.imap(self.server.person("owner"))
            client.select("INBOX")
            while not self.stop.is_set():
                client.noop()
                status, found = client.uid("SEARCH", "UNFLAGGED")
                for uid in found[0].split()[:5]:
                    status, _ = client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Flagged)")
                    if status == "OK":
                        self.flagged.add(uid)
                time.sleep(0.01)
        except (OSError, imaplib.IMAP4.error):
            pass

    def submit(self):
        try:
            with self.server.submission(self.server.person("staff")) as client:
                while not self.stop.is_set():
                    name = uuid.uuid4().hex
                    client.send_message(letter(AGENCY, "sonoivu@gov.example", name, name))
                    self.held.add(name)
                    time.sleep(0.02)
        except (OSError, smtplib.SMTPException):
            pass

    def decide(self):
        try:
            browser = Browser(self.server, self.server.person("reviewer"))
            while not self.stop.is_set():
                status, body, _ = browser.call("GET", "/api/v1/reviews?state=awaiting&limit=5")
                for review in body["reviews"] if status == 200 else ():
                    path = f"/api/v1/reviews/{review['id']}"
                    status, detail, _ = browser.call("GET", path)
                    if status != 200:
                        continue
                    self.asked.add(review["id"])
                    status, decided, _ = browser.call(
                        "POST", path + "/decision", {"decision": "approve", "digest": detail["digest"]})
                    if status == 200:
                        self.decided[review["id"]] = decided["state"]
                time.sleep(0.02)
        except (OSError, AssertionError, ValueError):
            pass


class Crashes:
    """The story of both engines."""

    arguments = ()

    def test_nothing_acknowledged_is_missing(self):
        chance = random.Random(20261123)
        server = Server(*self.arguments)
        self.addCleanup(server.remove)
        load = Load(server)
        for _ in range(ROUNDS):
            load.run(chance.uniform(0.15, 0.9))
            server.start()
        self.assertGreater(len(load.delivered), ROUNDS)
        self.check(server, load)

    def check(self, server, load):
        client = server.imap(server.person("owner"))
        client.select("INBOX", readonly=True)
        _, rows = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        subjects, flagged = [], set()
        for row in (r for r in rows if isinstance(r, tuple)):
            head = row[0].decode()
            subjects.append(row[1].decode().split(":", 1)[1].strip())
            if "\\Flagged" in head:
                flagged.add(head.split("UID ")[1].split()[0].rstrip(")").encode())
        self.assertEqual(load.delivered - set(subjects), set(), "acknowledged mail is missing")
        self.assertEqual(load.flagged - flagged, set(), "acknowledged flags are missing")
        client.logout()
        browser = Browser(server, server.person("reviewer"))
        states, names = {}, set()
        for state in ("awaiting", "decided"):
            before = ""
            while True:
                _, body, _ = browser.call("GET", f"/api/v1/reviews?state={state}&limit=200{before}")
                for review in body["reviews"]:
                    states[review["id"]] = review["state"]
                    names.add(review["subject"])
                if not body["next"]:
                    break
                before = f"&before={body['next']}"
        self.assertEqual(load.held - names, set(), "acknowledged submissions are missing")
        self.assertEqual({i: states.get(i) for i in load.decided}, load.decided, "acknowledged decisions are missing")
        # Nothing left without a decision: what was captured is what was approved, once.
        _, outbox, _ = browser.call("GET", "/api/v1/outbox")
        sent = [m["subject"] for m in outbox["messages"]]
        self.assertEqual(len(sent), len(set(sent)), "a message left twice")
        approved = {i for i, state in states.items() if state == "approved"}
        self.assertTrue(set(load.decided) <= approved <= load.asked)
        server.cli("audit", "verify")


class CrashesOnSqlite(Crashes, unittest.TestCase):
    """Embedded."""


@unittest.skipUnless("CONGVU_TEST_POSTGRES" in os.environ, "cargo xtask test starts a PostgreSQL")
class CrashesOnPostgres(Crashes, unittest.TestCase):
    """PostgreSQL, in a database of its own."""

    def setUp(self):
        url = os.environ["CONGVU_TEST_POSTGRES"]
        self.name = f"crash_{os.getpid()}"
        subprocess.run(["psql", "-q", url, "-c", f"CREATE DATABASE {self.name}"], check=True)
        self.addCleanup(subprocess.run, ["psql", "-q", url, "-c", f"DROP DATABASE {self.name} WITH (FORCE)"])
        base, _, options = url.partition("?")
        self.arguments = ("--database", base.rsplit("/", 1)[0] + f"/{self.name}" + (f"?{options}" if options else ""))


class Traced(unittest.TestCase):
    """INVARIANT: between the bytes of a message and its 250 the data are synced to disk."""

    def test_a_sync_stands_between_each_message_and_its_250(self):
        trace = f"/tmp/congvu-trace-{os.getpid()}"
        self.addCleanup(lambda: os.path.exists(trace) and os.remove(trace))
        server = Server(prefix=("strace", "-f", "-qq", "-s", "40", "-o", trace,
                                "-e", "trace=fsync,fdatasync,sendto,write,writev"))
        self.addCleanup(server.remove)
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as client:
            for turn in range(10):
                client.sendmail("sonoivu@gov.example", [OWN], f"From: sonoivu@gov.example\r\nSubject: {turn}\r\n\r\n{turn}\r\n")
        server.stop()
        synced, answers = False, 0
        with open(trace, errors="replace") as lines:
            for line in lines:
                if ("fsync(" in line or "fdatasync(" in line or "fsync resumed" in line
                        or "fdatasync resumed" in line) and "= 0" in line:
                    synced = True
                elif '"354 ' in line:
                    synced = False
                elif '"250 2.0.0 Stored' in line:
                    answers += 1
                    self.assertTrue(synced, f"a 250 without a sync before it: {line}")
        self.assertEqual(answers, 10)


if __name__ == "__main__":
    unittest.main()
