"""Two people handle a letter of the agency's account in the browser (S7.2b, Điều 7), and the guide's pictures are taken."""

import email.policy
import json
import os
import shutil
import smtplib
import subprocess
import tempfile
import unittest
from email.message import EmailMessage

from harness import ROOT, Server

AGENCY = "bqlctgt@khanhhoa.example"
LETTERS = [
    ("Sở Giao thông vận tải <sgtvt@gov.example>", "Báo cáo tuần 46", "Đề nghị Ban gửi báo cáo tuần 46.", None),
    ("Phòng Kỹ thuật <kythuat@gov.example>", "Nhật ký công trường số 12", "Khối lượng đắp nền đạt 36 phần trăm.", None),
    ("Nguyễn Thị Lan <lan@vanphong.example>", "Hồ sơ thanh toán gói thầu số 5",
     "Gửi Ban hồ sơ thanh toán đợt 3 của gói thầu số 5.", "ho-so.pdf"),
    ("UBND tỉnh Khánh Hòa <ubnd@gov.example>", "Giấy mời họp giao ban xây dựng cơ bản tháng 11",
     "Kính mời đồng chí Giám đốc dự họp lúc 8 giờ ngày 27/11/2026.", None),
    ("Sở Nội vụ <sonoivu@gov.example>", "Công văn 1204/SNV-CCHC về việc rà soát thư điện tử công vụ",
     "Kính gửi: Ban Quản lý dự án\n\nĐề nghị quý Ban rà soát danh sách hộp thư công vụ và báo cáo trước ngày "
     "30/11/2026.\n\nTrân trọng.", "cong-van-1204.pdf"),
]


def letter(sender, recipient, subject, text, attachment):
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message.set_content(text)
    if attachment:
        message.add_attachment(b"%PDF-1.4 report", maintype="application", subtype="pdf", filename=attachment)
    return message


class Work(unittest.TestCase):
    def test_two_people_handle_a_letter(self):
        server = Server()
        self.addCleanup(server.remove)
        kept = os.environ.get("CONGVU_GUIDE")
        shots = kept or tempfile.mkdtemp(prefix="congvu-guide-")
        if not kept:
            self.addCleanup(shutil.rmtree, shots, ignore_errors=True)
        with smtplib.LMTP("127.0.0.1", server.port("lmtp")) as client:
            for sender, subject, text, attachment in LETTERS:
                client.send_message(letter(sender, AGENCY, subject, text, attachment), "x@gov.example", [AGENCY])
        staff, reviewer = server.person("staff"), server.person("manager")
        with server.submission(staff) as client:
            client.send_message(letter(f"Ban QLDA Giao thông <{AGENCY}>", "Sở Nội vụ <sonoivu@gov.example>",
                                       "Báo cáo tuần 47", "Kính gửi quý Sở, báo cáo kèm theo.", "bao-cao.pdf"))
        done = subprocess.run(
            ["node", str(ROOT / "webapp/e2e/guide.mjs")], capture_output=True, text=True, timeout=180,
            env={**os.environ, "ORIGIN": server.http, "CHROMIUM": shutil.which("chromium") or "chromium",
                 "SHOTS": shots, "STAFF": json.dumps(staff), "REVIEWER": json.dumps(reviewer)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + server.log())


if __name__ == "__main__":
    unittest.main()
