"""The web application in headless Chromium (webapp/e2e): S9.1 (Điều 9), S4.2d (khoản 2 Điều 4), app passwords."""

import imaplib
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from email.message import EmailMessage
import email.policy

from harness import ROOT, Browser, Server

AGENCY = "bqlctgt@khanhhoa.example"
DIRECTOR = "giamdoc.bqlctgt@khanhhoa.example"
ACCOUNTANT = "ketoantruong.bqlctgt@khanhhoa.example"

# Hostile on purpose: nothing of it may run or be loaded.
HTML = """<p>Kính gửi quý Sở,</p><p>Báo cáo tuần 47.</p><script>alert(1)</script>
<img src=x onerror="alert(2)"><img src="https://tracker.example/pixel.png">
<a href="javascript:alert(3)">xem</a><form action="https://evil.example"><input name=q></form>"""


class Chromium(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        kept = os.environ.get("CONGVU_SHOTS")
        self.shots = kept or tempfile.mkdtemp(prefix="congvu-shots-")
        if not kept:
            self.addCleanup(shutil.rmtree, self.shots, ignore_errors=True)

    def hold(self, author, subject):
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = f"Ban QLDA Giao thông <{AGENCY}>"
        message["To"] = "Sở Nội vụ <sonoivu@gov.example>, dan@gmail.com"
        message["Subject"] = subject
        message.set_content("Kính gửi quý Sở,\n\nBáo cáo tuần 47.\n")
        message.add_alternative(HTML, subtype="html")
        message.add_attachment(b"%PDF-1.4 report", maintype="application", subtype="pdf", filename="bao-cao.pdf")
        message.add_attachment(b"MZ\x90\x00" + bytes(60), maintype="application", subtype="pdf", filename="phu-luc.pdf.exe")
        with self.server.submission(author) as client:
            client.send_message(message)

    def test_people_review_in_the_browser(self):
        author = self.server.person("staff")
        self.hold(author, "Báo cáo trả lại")
        self.hold(author, "Báo cáo được duyệt")
        newcomer = next(p for p in self.server.demo["people"] if p["must_change_password"])
        self.browse("review.mjs", REVIEWER=self.server.person("reviewer"), AUTHOR=author, NEWCOMER=newcomer)

    def test_a_mail_client_signs_in_with_a_password_of_its_own(self):
        person = self.server.person("staff")
        secret = self.browse("devices.mjs", PERSON=person).strip()
        device = {**person, "password": secret}
        self.server.imap(device).logout()
        with self.assertRaises(AssertionError):
            Browser(self.server, device)
        self.browse("devices.mjs", PERSON=person, REVOKE=True)
        with self.assertRaises(imaplib.IMAP4.error):
            self.server.imap(device)

    def test_hostile_markup_does_nothing(self):
        lines = (ROOT / "tests/vectors/hostile-html/payloads.txt").read_text().splitlines()
        payloads = [line for line in lines if line and not line.startswith("#")]
        with self.server.submission(self.server.person("staff")) as client:
            for number, payload in enumerate(payloads):
                message = EmailMessage(policy=email.policy.SMTP)
                message["From"], message["To"], message["Subject"] = AGENCY, "sonoivu@gov.example", f"Dòng {number}"
                message.set_content(payload, subtype="html")
                client.send_message(message)
        self.browse("hostile.mjs", REVIEWER=self.server.person("reviewer"), COUNT=len(payloads))

    def test_an_answer_is_written_taken_back_and_sent(self):
        director, accountant = self.named("tvhung"), self.named("pthoa")
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"], message["To"] = DIRECTOR, ACCOUNTANT
        message["Subject"], message["Message-ID"] = "Đề nghị báo cáo", "<ask@khanhhoa.example>"
        message.set_content("<p style='color:#036'>Đề nghị chị báo cáo.</p>", subtype="html")
        with self.server.submission(director) as client:
            client.send_message(message)
        self.browse("writing.mjs", PERSON=accountant, FLOW="answers")
        answer = self.arrived(director, "Re:")
        self.assertEqual((answer["In-Reply-To"], answer["References"]), ("<ask@khanhhoa.example>",) * 2)
        text = answer.get_body(("plain",)).get_content()
        self.assertIn("Em xin gửi kèm báo cáo. Trân trọng.", text)
        self.assertIn("> Đề nghị chị báo cáo.", text)
        self.assertEqual([part.get_filename() for part in answer.iter_attachments()], ["báo cáo.pdf"])

    def test_letters_are_not_lost_and_what_deserves_a_second_look_is_told(self):
        staff = self.named("ngkhanh")
        for flow in ("survives", "types", "warns"):
            self.browse("writing.mjs", PERSON=staff, FLOW=flow)

    def named(self, username):
        return next(p for p in self.server.demo["people"] if p["username"].startswith(f"{username}@"))

    def arrived(self, person, subject, seconds=60):
        """The message that comes with this subject, once it is there."""
        for _ in range(seconds * 2):
            client = self.server.imap(person)
            client.select("INBOX", readonly=True)
            _, found = client.search(None, "SUBJECT", f'"{subject}"')
            if found[0]:
                _, data = client.fetch(found[0].split()[-1], "(RFC822)")
                client.logout()
                return email.message_from_bytes(data[0][1], policy=email.policy.default)
            client.logout()
            time.sleep(0.5)
        self.fail(f"{subject} did not come\n{self.server.log()}")

    def browse(self, flow, **values):
        """Runs a flow of webapp/e2e; returns what it printed."""
        done = subprocess.run(
            ["node", str(ROOT / "webapp/e2e" / flow)], capture_output=True, text=True, timeout=180,
            env={**os.environ, "ORIGIN": self.server.http, "CHROMIUM": shutil.which("chromium") or "chromium",
                 "SHOTS": self.shots,
                 **{name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.server.log())
        return done.stdout


if __name__ == "__main__":
    unittest.main()
