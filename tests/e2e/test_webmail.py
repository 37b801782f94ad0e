"""Mail in headless Chromium (webapp/e2e/mail.mjs): reading, moving, searching, keys, a phone, what comes meanwhile."""

import email.policy
import imaplib
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import zipfile
from email.message import EmailMessage
from pathlib import Path

from harness import ROOT, Server

AGENCY = "bqlctgt@khanhhoa.example"

# Hostile on purpose: nothing of it may run or be loaded.
HTML = """<p style="color:#1b2430">Kính gửi quý Sở,</p><p>Báo cáo tuần 47.</p><script>alert(1)</script>
<img src=x onerror="alert(2)"><img src="https://tracker.example/pixel.png" width=120 height=30>
<p>Xem tại <a href="https://sonoivu.gov.example/van-ban">cổng thông tin</a>, <a href="javascript:alert(3)">khác</a></p>
<form action="https://evil.example"><input name=q></form><blockquote type="cite">Thư trước</blockquote>"""
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cf"
                    "c0f01f0005050102cf9a3d6b0000000049454e44ae426082")


class Webmail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        kept = os.environ.get("CONGVU_SHOTS")
        cls.shots = kept or tempfile.mkdtemp(prefix="congvu-shots-")
        if not kept:
            cls.addClassCleanup(shutil.rmtree, cls.shots, ignore_errors=True)
        cls.clerk = cls.server.person("staff")
        cls.imap = cls.server.imap(cls.clerk, AGENCY)
        cls.addClassCleanup(cls.imap.logout)
        cls.start = time.time() - 3 * 86400

    def setUp(self):
        """The inbox is as it was before the last journey."""
        for mailbox in ("INBOX", "Archive"):
            self.imap.select(mailbox)
            self.imap.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
            self.imap.expunge()
        self.minute = 0
        for number in range(30):
            self.put(self.letter(f"Văn bản số {number + 1}/SNV", f"Nội dung văn bản số {number + 1}."))
        plan = self.letter("Kế hoạch kiểm tra hiện trường", "Kính gửi các đồng chí, kế hoạch như sau.")
        plan["Message-ID"] = "<plan@khanhhoa.example>"
        self.put(plan, r"(\Seen)")
        answer = self.letter("Re: Kế hoạch kiểm tra hiện trường", "Nhất trí với kế hoạch.\n\n> Kính gửi các đồng chí")
        answer["In-Reply-To"] = answer["References"] = "<plan@khanhhoa.example>"
        self.put(answer)
        report = self.letter("Báo cáo tuần 47", "Kính gửi quý Sở")
        report.add_alternative(HTML, subtype="html")
        report.add_attachment(PNG, maintype="image", subtype="png", filename="so-do.png")
        report.add_attachment("ghi chú".encode(), maintype="application", subtype="octet-stream", filename="ghi chú.bin")
        self.put(report)
        self.put(self.letter("Giấy mời họp giao ban", "Trân trọng kính mời đồng chí dự họp."))

    def letter(self, subject, text):
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = "Lê Thị Mai <ltmai@khanhhoa.example>"
        message["To"] = "Văn thư <vanthu@khanhhoa.example>"
        message["Subject"] = subject
        message.set_content(text)
        return message

    def put(self, message, flags="()"):
        """Files a letter, each a minute younger than the last."""
        self.minute += 1
        at = imaplib.Time2Internaldate(self.start + self.minute * 60)
        status, answer = self.imap.append("INBOX", flags, at, message.as_bytes())
        self.assertEqual(status, "OK", answer)

    def browse(self, journey, started=None):
        process = subprocess.Popen(
            ["node", str(ROOT / "webapp/e2e/mail.mjs")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "ORIGIN": self.server.http, "CHROMIUM": shutil.which("chromium") or "chromium",
                 "SHOTS": self.shots, "JOURNEY": journey, "CLERK": json.dumps(self.clerk)})
        try:
            if started:
                line = process.stdout.readline()
                self.assertEqual(line, "ready\n", line)
                started()
            said = process.communicate(timeout=180)[0]
        finally:
            process.kill()
        self.assertEqual(process.returncode, 0, said + self.server.log())

    def test_mail_is_read_moved_and_brought_back(self):
        self.browse("readsAndMoves")

    def test_a_hostile_letter_does_nothing_and_its_files_are_saved_together(self):
        self.browse("letterIsHarmless")
        with zipfile.ZipFile(Path(self.shots) / "all.zip") as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), ["so-do.png", "ghi chú.bin"])
            self.assertEqual(archive.read("ghi chú.bin").decode(), "ghi chú")

    def test_what_is_searched_for_is_found(self):
        self.browse("searches")

    def test_everything_is_done_by_keys(self):
        self.browse("worksByKeys")

    def test_it_fits_a_phone(self):
        self.browse("onThePhone")

    def test_it_speaks_english_and_has_a_dark_side(self):
        self.browse("inEnglishAndDark")

    def test_what_comes_is_seen_and_a_cut_line_is_told(self):
        self.browse("hears", started=lambda: self.put(self.letter("Thư vừa tới", "Mới.")))


if __name__ == "__main__":
    unittest.main()
