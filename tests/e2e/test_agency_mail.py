"""One agency's mail, end to end (issue of the same name): in over SMTP, read by IMAP, answered from the shared
account under the writer's own name, held for review (S9.1, Điều 9), approved, delivered to another server."""

import email
import email.policy
import imaplib
import json
import pathlib
import shutil
import smtplib
import subprocess
import tempfile
import time
import unittest
from email.message import EmailMessage

from harness import Browser, Server, Sink, eventually

AGENCY = "bqlctgt@khanhhoa.example"


def utf7(name):
    """Modified UTF-7 of a mailbox name (RFC 3501 §5.1.3)."""
    out, pending = "", ""

    def flush():
        if not pending:
            return ""
        coded = pending.encode("utf-16-be")
        import base64
        return "&" + base64.b64encode(coded).decode().rstrip("=").replace("/", ",") + "-"

    for char in name:
        if 0x20 <= ord(char) <= 0x7E:
            out += flush()
            pending = ""
            out += "&-" if char == "&" else char
        else:
            pending += char
    return out + flush()


def mailbox(name, account=AGENCY):
    return '"' + utf7(f"Shared/{account}/{name}") + '"'


def letter(sender, to, subject, text, attachment=None):
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="pdf", filename="bao-cao.pdf")
    return message


class AgencyMail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink()
        cls.server = Server("--smarthost", f"127.0.0.1:{cls.sink.port}")
        cls.staff = cls.server.person("staff")
        cls.reviewer = cls.server.person("reviewer")

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()
        cls.sink.close()

    def send(self, person, message, recipients):
        with self.server.submission(person) as client:
            return client.send_message(message, AGENCY, recipients)

    def hold(self, subject, attachment=b"%PDF-1.4 report"):
        """Sends from the agency's account to the outside and returns the review that waits."""
        message = letter(AGENCY, "sonoivu@gov.example", subject, "Kính gửi Sở Nội vụ,\n\nBáo cáo tuần.", attachment)
        self.send(self.staff, message, ["sonoivu@gov.example"])
        browser = Browser(self.server, self.reviewer)
        status, body, _ = browser.call("GET", "/api/v1/reviews?state=awaiting")
        self.assertEqual(status, 200, body)
        found = [r for r in body["reviews"] if r["subject"] == subject]
        self.assertEqual(len(found), 1, body)
        return browser, found[0]

    def test_mail_comes_in_by_swaks_and_is_read_with_imaplib(self):
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{self.server.port('smtp')}", "--from", "sonoivu@gov.example",
             "--to", AGENCY, "--header", "Subject: =?utf-8?B?S8OtbmggZ+G7rWk=?=", "--body", "Xin chào",
             "--add-header", "MIME-Version: 1.0", "--add-header", "Content-Type: text/plain; charset=utf-8",
             "--tls"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        imap = self.server.imap(self.staff)
        self.assertEqual(imap.select(mailbox("INBOX"))[0], "OK")
        _, found = imap.uid("SEARCH", "FROM", "sonoivu@gov.example")
        uid = found[0].split()[-1].decode()
        _, data = imap.uid("FETCH", uid, "(ENVELOPE BODY.PEEK[] BODYSTRUCTURE)")
        raw = data[0][1]
        self.assertIn(b"Authentication-Results:", raw)
        read = email.message_from_bytes(raw, policy=email.policy.default)
        self.assertEqual(read["Subject"], "Kính gửi")
        self.assertEqual(read.get_content().strip(), "Xin chào")
        imap.logout()

    def test_what_the_agency_sends_waits_and_leaves_only_when_approved(self):
        browser, review = self.hold("Báo cáo tuần 47")
        self.assertEqual(review["citation"]["text"], "Điều 9")
        self.assertFalse(any(b"B=C3=A1o" in m for m in self.sink.messages()))
        status, detail, _ = browser.call("GET", f"/api/v1/reviews/{review['id']}")
        self.assertEqual(status, 200)
        self.assertEqual([a["name"] for a in detail["attachments"]], ["bao-cao.pdf"])
        approve = {"decision": "approve", "digest": detail["digest"]}
        status, problem, _ = browser.call("POST", f"/api/v1/reviews/{review['id']}/decision", approve)
        self.assertEqual((status, problem["kind"], problem["unopened"]), (422, "notOpened", ["bao-cao.pdf"]))
        status, attachment, _ = browser.call("GET", f"/api/v1/reviews/{review['id']}/attachments/0")
        self.assertEqual((status, attachment), (200, b"%PDF-1.4 report"))
        status, decided, _ = browser.call("POST", f"/api/v1/reviews/{review['id']}/decision", approve)
        self.assertEqual((status, decided["state"]), (200, "approved"), decided)
        raw = self.sink.wait_for("bao-cao.pdf")
        self.assertIn(b"DKIM-Signature:", raw)
        self.assertNotIn(b"Bcc:", raw)
        imap = self.server.imap(self.staff)
        imap.select(mailbox("Sent"), readonly=True)
        _, found = imap.uid("SEARCH", "TO", "sonoivu@gov.example")
        self.assertTrue(found[0].split())
        imap.logout()

    def test_the_author_cannot_approve_and_a_return_needs_a_reason(self):
        browser, review = self.hold("Công văn trả lại")
        status, detail, _ = browser.call("GET", f"/api/v1/reviews/{review['id']}")
        author = Browser(self.server, self.staff)
        path = f"/api/v1/reviews/{review['id']}/decision"
        status, problem, _ = author.call("POST", path, {"decision": "approve", "digest": detail["digest"]})
        self.assertEqual(status, 403, problem)
        status, problem, _ = browser.call("POST", path, {"decision": "return", "digest": detail["digest"]})
        self.assertEqual((status, problem["kind"]), (422, "reasonNeeded"))
        status, problem, _ = browser.call("POST", path, {"decision": "approve", "digest": "0" * 64})
        self.assertEqual((status, problem["kind"]), (409, "changed"))
        status, decided, _ = browser.call(
            "POST", path, {"decision": "return", "comment": "Bổ sung phụ lục", "digest": detail["digest"]})
        self.assertEqual((status, decided["state"]), (200, "returned"))
        status, problem, _ = browser.call("POST", path, {"decision": "approve", "digest": detail["digest"]})
        self.assertEqual((status, problem["kind"]), (409, "alreadyDecided"))
        _, mine, _ = author.call("GET", "/api/v1/reviews?state=mine")
        told = [r for r in mine["reviews"] if r["id"] == review["id"]]
        self.assertEqual((told[0]["state"], told[0]["comment"]), ("returned", "Bổ sung phụ lục"))

    def test_a_reviewer_decides_by_moving_the_message_in_imap(self):
        _, review = self.hold("Duyệt bằng IMAP")
        imap = self.server.imap(self.reviewer)
        self.assertEqual(imap.select(mailbox("Chờ duyệt"))[0], "OK")
        _, found = imap.uid("SEARCH", "ALL")
        uid = None
        for candidate in found[0].split():
            _, data = imap.uid("FETCH", candidate, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            header = email.message_from_bytes(data[0][1], policy=email.policy.default)
            if header["Subject"] == "Duyệt bằng IMAP":
                uid = candidate
        self.assertIsNotNone(uid)
        status, answer = imap.uid("MOVE", uid, mailbox("Đã duyệt"))
        self.assertEqual(status, "NO", answer)
        self.assertIn(b"bao-cao.pdf", answer[0])
        imap.uid("FETCH", uid, "(BODY.PEEK[])")
        status, answer = imap.uid("MOVE", uid, mailbox("Đã duyệt"))
        self.assertEqual(status, "OK", answer)
        imap.logout()
        browser = Browser(self.server, self.reviewer)
        _, detail, _ = browser.call("GET", f"/api/v1/reviews/{review['id']}")
        self.assertEqual(detail["state"], "approved")

    def test_the_author_cannot_decide_by_imap_either(self):
        self.hold("Tự duyệt bằng IMAP")
        imap = self.server.imap(self.staff)
        imap.select(mailbox("Chờ duyệt"))
        _, found = imap.uid("SEARCH", "ALL")
        status, answer = imap.uid("MOVE", found[0].split()[-1], mailbox("Đã duyệt"))
        self.assertEqual(status, "NO", answer)
        imap.logout()

    def test_cli_lists_and_decides_and_the_server_hears_of_it(self):
        _, review = self.hold("Duyệt bằng dòng lệnh")
        listed = self.server.cli("review", "list", "--json").stdout
        self.assertIn(review["id"], listed)
        imap = self.server.imap(self.reviewer)
        imap.select(mailbox("Chờ duyệt"))
        imap.send(b"i1 IDLE\r\n")
        self.assertTrue(imap.readline().startswith(b"+"))
        digest = next(r["digest"] for r in json.loads(listed) if r["id"] == review["id"])
        who = ["--as", self.reviewer["username"]]
        password = {"CONGVU_PASSWORD": self.reviewer["password"]}
        approve = ["review", "approve", review["id"], *who, "--digest", digest]
        with self.assertRaises(AssertionError) as unopened:
            self.server.cli(*approve, environment=password)
        self.assertIn("bao-cao.pdf", str(unopened.exception))
        with tempfile.TemporaryDirectory() as saved:
            show = ["review", "show", review["id"], "--full", "--save", saved, *who]
            self.assertIn("Báo cáo tuần", self.server.cli(*show, environment=password).stdout)
            self.assertEqual((pathlib.Path(saved) / "1-bao-cao.pdf").read_bytes(), b"%PDF-1.4 report")
        with self.assertRaises(AssertionError):
            self.server.cli(*approve, environment={"CONGVU_PASSWORD": "khong phai"})
        self.server.cli(*approve, environment=password)
        imap.sock.settimeout(10)
        while b"EXPUNGE" not in imap.readline():
            pass
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"i1 OK"):
            pass
        imap.logout()
        self.sink.wait_for("bao-cao.pdf")
        self.server.cli("audit", "verify")

    def test_a_foreign_sender_address_is_refused(self):
        message = letter("gia.mao@gov.example", "sonoivu@gov.example", "Giả mạo", "x")
        with self.server.submission(self.staff) as client:
            with self.assertRaises(smtplib.SMTPException):
                client.send_message(message, "gia.mao@gov.example", ["sonoivu@gov.example"])
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                client.send_message(message, AGENCY, ["sonoivu@gov.example"])
            self.assertEqual(refused.exception.smtp_code, 550)

    def test_nobody_relays_through_the_open_port(self):
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as client:
            client.ehlo("stranger.example")
            client.mail("a@stranger.example")
            code, _ = client.rcpt("b@elsewhere.example")
            self.assertEqual(code // 100, 5)

    def test_an_idle_session_hears_of_new_mail(self):
        imap = self.server.imap(self.staff)
        imap.select(mailbox("INBOX"))
        imap.send(b"i1 IDLE\r\n")
        self.assertTrue(imap.readline().startswith(b"+"))
        subprocess.run(["swaks", "--silent", "2", "--server", f"127.0.0.1:{self.server.port('smtp')}",
                        "--from", "x@gov.example", "--to", AGENCY], check=True, timeout=60)
        imap.sock.settimeout(10)
        lines = [imap.readline()]
        while b"EXISTS" not in lines[-1]:
            lines.append(imap.readline())
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"i1 OK"):
            pass
        imap.logout()

    def test_mbsync_copies_the_account(self):
        home = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        (home / "mail").mkdir()
        config = home / "mbsyncrc"
        config.write_text(f"""
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
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
Sync Pull
""")
        done = subprocess.run(["mbsync", "-c", str(config), "-a"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue((home / "mail/INBOX").is_dir())


class FirstSignIn(unittest.TestCase):
    """S4.2 (Điều 4): the password given out opens nothing but its change, at every door."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.new = next(p for p in cls.server.demo["people"] if p.get("must_change_password"))

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def test_an_initial_password_opens_only_its_own_change(self):
        with self.assertRaises(imaplib.IMAP4.error):
            self.server.imap(self.new)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.server.submission(self.new)
        browser = Browser(self.server, self.new)
        self.assertTrue(browser.me["mustChangePassword"])
        status, problem, _ = browser.call("GET", "/api/v1/reviews?state=awaiting")
        self.assertEqual((status, problem["kind"]), (403, "passwordMustChange"))
        status, problem, _ = browser.call("POST", "/api/v1/password", {"current": self.new["password"], "next": "12345678"})
        self.assertEqual((status, problem["kind"]), (422, "weakPassword"))
        fresh = "Cau-Xom-Bong-2026-moi"
        status, problem, _ = browser.call("POST", "/api/v1/password", {"current": self.new["password"], "next": fresh})
        self.assertEqual(status, 204, problem)
        imap = self.server.imap({**self.new, "password": fresh})
        imap.logout()


if __name__ == "__main__":
    unittest.main()
