"""A mail client that keeps a copy and works on both sides of it: mbsync, two-way. New mail, flags, removals and new folders go
over in both directions, nothing twice, and two accounts of one thing agree at the end."""

import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import Server

AGENCY = "bqlctgt@khanhhoa.example"


def letter(subject, text="Kính gửi quý Ban"):
    return (f"From: sonoivu@gov.example\r\nTo: {AGENCY}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@gov.example>\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n").encode()


class TwoWay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.staff = cls.server.person("staff")

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="congvu-mbsync-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        (self.home / "mail").mkdir()
        self.config = self.home / "mbsyncrc"
        self.config.write_text(f"""
IMAPAccount agency
Host 127.0.0.1
Port {self.server.port('imap')}
User {self.staff['username']}/{AGENCY}
Pass {self.staff['password']}
SSLType None
AuthMechs PLAIN

IMAPStore far
Account agency

MaildirStore near
Path {self.home}/mail/
Inbox {self.home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Archive Viec*
Create Both
Expunge Both
SyncState *
Sync All
""")
        self.imap = self.server.imap(self.staff, AGENCY)
        self.addCleanup(self.imap.logout)

    def sync(self):
        done = subprocess.run(["mbsync", "-c", str(self.config), "-a"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def near(self, folder="INBOX"):
        """What lies in the local folder: subject → (flags of its file name, path)."""
        found = {}
        for part in ("cur", "new"):
            for path in (self.home / "mail" / folder / part).glob("*"):
                subject = next(line[9:] for line in path.read_text().splitlines() if line.startswith("Subject: "))
                self.assertNotIn(subject, found, "copied twice")
                found[subject] = (path.name.partition(":2,")[2], path)
        return found

    def far(self, folder="INBOX"):
        """What the server has: subject → (flags, UID)."""
        self.assertEqual(self.imap.select(folder)[0], "OK")
        _, data = self.imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        found = {}
        for at, item in enumerate(data):
            if not isinstance(item, tuple):
                continue
            subject = item[1].decode().strip()[9:]
            self.assertNotIn(subject, found, "stored twice")
            # FLAGS may stand before or behind the literal.
            rest = item[0].decode() + (data[at + 1].decode() if isinstance(data[at + 1], bytes) else "")
            found[subject] = (set(rest.split("FLAGS (")[1].split(")")[0].split()), rest.split("UID ")[1].split()[0].strip(")"))
        return found

    def mark(self, subject, flags):
        """Gives a local message these Maildir flags."""
        _, path = self.near()[subject]
        base = path.name.partition(":2,")[0]
        path.rename(path.parents[1] / "cur" / f"{base}:2,{flags}")

    def test_both_sides_agree(self):
        for subject in ("mot", "hai", "ba", "bon", "nam"):
            self.imap.append("INBOX", None, None, letter(subject))
        self.sync()
        self.assertEqual(set(self.near()), {"mot", "hai", "ba", "bon", "nam"})
        self.assertTrue(all("\\Seen" not in flags for flags, _ in self.far().values()), "a copy is no reading")

        with self.subTest("flags and removals of the server come over"):
            uids = {subject: uid for subject, (_, uid) in self.far().items()}
            self.imap.uid("STORE", uids["mot"], "+FLAGS", "(\\Flagged \\Seen)")
            self.imap.uid("STORE", uids["hai"], "+FLAGS", "(\\Deleted)")
            self.imap.expunge()
            self.imap.append("INBOX", "(\\Answered)", None, letter("sau"))
            self.sync()
            near = self.near()
            self.assertEqual(set(near), {"mot", "ba", "bon", "nam", "sau"})
            self.assertEqual((near["mot"][0], near["sau"][0]), ("FS", "R"))

        with self.subTest("flags, removals, new mail and new folders of the client come over"):
            self.mark("mot", "S")
            self.mark("ba", "FS")
            self.mark("bon", "ST")
            local = self.home / "mail/INBOX/cur/1700000000.1.local:2,D"
            local.write_bytes(letter("bay").replace(b"\r\n", b"\n"))
            for part in ("cur", "new", "tmp"):
                (self.home / "mail/Viec" / part).mkdir(parents=True)
            (self.home / "mail/Viec/cur/1700000000.2.local:2,S").write_bytes(letter("tam").replace(b"\r\n", b"\n"))
            self.sync()
            far = self.far()
            self.assertEqual({s: flags for s, (flags, _) in far.items()},
                             {"mot": {"\\Seen"}, "ba": {"\\Flagged", "\\Seen"}, "nam": set(), "sau": {"\\Answered"},
                              "bay": {"\\Draft"}})
            self.assertEqual(set(self.far("Viec")), {"tam"})

        with self.subTest("both at once, on one message and on several"):
            uids = {subject: uid for subject, (_, uid) in self.far().items()}
            self.imap.uid("STORE", uids["nam"], "+FLAGS", "(\\Flagged)")
            self.imap.uid("STORE", uids["ba"], "+FLAGS", "(\\Deleted)")
            self.imap.expunge()
            self.mark("nam", "S")
            self.mark("sau", "RST")
            self.imap.append("INBOX", None, None, letter("chin"))
            self.sync()
            self.sync()
            near, far = self.near(), self.far()
            self.assertEqual(set(near), {"mot", "nam", "bay", "chin"})
            self.assertEqual(set(far), set(near))
            self.assertEqual((near["nam"][0], far["nam"][0]), ("FS", {"\\Flagged", "\\Seen"}))

        with self.subTest("nothing is left to do"):
            before = [(p.name, p.stat().st_mtime_ns) for p in sorted((self.home / "mail/INBOX/cur").glob("*"))]
            modseq = self.imap.status("INBOX", "(HIGHESTMODSEQ)")
            time.sleep(0.01)
            self.sync()
            self.assertEqual(before, [(p.name, p.stat().st_mtime_ns) for p in sorted((self.home / "mail/INBOX/cur").glob("*"))])
            self.assertEqual(modseq, self.imap.status("INBOX", "(HIGHESTMODSEQ)"))


if __name__ == "__main__":
    unittest.main()
