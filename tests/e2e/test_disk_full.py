"""A disk that fills up: what does not fit is refused for now, nothing that was acknowledged is lost, and the server goes on by
itself when there is room again. The disk is a small file system in memory, which only root can mount."""

import smtplib
import subprocess
import tempfile
import unittest
import uuid

from harness import Server, eventually

OWN = "ketoantruong.bqlctgt@khanhhoa.example"


class SmallDisk:
    """A file system of so many mebibytes."""

    def __init__(self, mebibytes):
        self.directory = tempfile.mkdtemp(prefix="congvu-disk-")
        self.options("size", mebibytes)

    def options(self, verb, mebibytes):
        kind = "remount,size" if verb == "remount" else verb
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{kind}={mebibytes}m", "congvu", self.directory], check=True)

    def grow(self, mebibytes):
        self.options("remount", mebibytes)

    def remove(self):
        subprocess.run(["umount", "-l", self.directory], check=False)


def small_disk(mebibytes):
    try:
        return SmallDisk(mebibytes)
    except (OSError, subprocess.CalledProcessError):
        return None


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = small_disk(24)
        if self.disk is None:
            self.skipTest("only root can mount a small disk")
        self.addCleanup(self.disk.remove)
        self.server = Server(directory=self.disk.directory)
        self.addCleanup(self.server.stop)

    def send(self, size):
        """Sends one message; returns its name when it was acknowledged, or the refusal's code."""
        name = uuid.uuid4().hex
        noise = "".join(uuid.uuid4().hex + "\r\n" for _ in range(size // 34))
        try:
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=60) as client:
                client.sendmail("sonoivu@gov.example", [OWN], f"From: sonoivu@gov.example\r\nSubject: {name}\r\n\r\n{noise}")
            return name, 250
        except smtplib.SMTPRecipientsRefused as refused:
            return name, next(iter(refused.recipients.values()))[0]
        except smtplib.SMTPResponseException as refused:
            return name, refused.smtp_code

    def stored(self):
        imap = self.server.imap(self.server.person("owner"))
        imap.select("INBOX", readonly=True)
        _, rows = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")
        bodies = [row[1] for row in rows if isinstance(row, tuple)]
        imap.logout()
        return {body.split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode() for body in bodies}

    def test_a_full_disk_refuses_for_now_and_loses_nothing(self):
        acknowledged, refused = set(), []
        for size in (40_000, 300_000):
            # Small bodies lie in the database, large ones beside it.
            for _ in range(600):
                name, code = self.send(size)
                if code == 250:
                    acknowledged.add(name)
                else:
                    refused.append(code)
                    break
        self.assertTrue(refused, "the disk never filled up")
        self.assertTrue(all(400 <= code < 500 for code in refused), refused)
        self.assertLessEqual(acknowledged, self.stored())
        self.disk.grow(96)
        self.assertTrue(eventually(lambda: self.send(40_000)[1] == 250, 20), self.server.log())
        self.server.kill()
        self.server.start()
        self.assertLessEqual(acknowledged, self.stored())
        self.server.cli("audit", "verify")


if __name__ == "__main__":
    unittest.main()
