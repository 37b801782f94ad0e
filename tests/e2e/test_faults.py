"""Garbage, vanishing clients, slow and greedy peers: a clear reply, bounded memory, the server stays up."""

import os
import random
import smtplib
import socket
import unittest

from harness import Story


def talk(port, payload, seconds=5):
    """Sends bytes and returns what comes back until the peer closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        got = b""
        try:
            sock.sendall(payload)
            sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                got += chunk
        except OSError:
            pass
        return got


class Faults(Story):
    def resident_kib(self):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def alive(self):
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=20) as client:
            self.assertEqual(client.noop()[0], 250)
        self.server.imap(self.server.person("staff")).logout()

    def test_garbage_at_any_port_ends_that_connection_alone(self):
        chance = random.Random(7)
        for port in ("smtp", "lmtp", "submission", "submissions", "imap", "imaps", "http", "https"):
            for _ in range(5):
                talk(self.server.port(port), chance.randbytes(20_000), 3)
        self.alive()

    def test_over_long_lines_are_refused_in_bounded_memory(self):
        before = self.resident_kib()
        for port in ("smtp", "imap"):
            answer = talk(self.server.port(port), b"A" * 30_000_000 + b"\r\n", 10)
            self.assertTrue(b"500" in answer or b"BAD" in answer or b"BYE" in answer or b"421" in answer, answer[-300:])
        self.assertLess(self.resident_kib() - before, 60_000)
        self.alive()

    def test_a_smuggled_end_of_data_is_not_one(self):
        payload = (b"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<bqlctgt@khanhhoa.example>\r\nDATA\r\n"
                   b"Subject: one\r\n\r\nbody\n.\nMAIL FROM:<evil@x.example>\r\n.\r\nQUIT\r\n")
        answer = talk(self.server.port("smtp"), payload)
        self.assertNotIn(b"250 2.0.0", answer.split(b"354")[-1].split(b"\r\n")[1], answer)
        self.assertIn(b"\r\n5", answer.split(b"354")[-1])

    def test_a_client_that_vanishes_in_a_literal_leaves_nothing_behind(self):
        person = self.server.person("staff")
        for _ in range(20):
            sock = socket.create_connection(("127.0.0.1", self.server.port("imap")), timeout=5)
            sock.sendall(f'a LOGIN {person["username"]} {{500}}\r\n'.encode())
            sock.close()
        self.alive()

    def test_a_message_of_100_mb_is_refused_early_and_late(self):
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=60) as client:
            client.ehlo("x.example")
            code, _ = client.docmd("MAIL", "FROM:<a@x.example> SIZE=104857600")
            self.assertEqual(code, 552)
            client.rset()
            client.mail("a@x.example")
            client.rcpt("bqlctgt@khanhhoa.example")
            before = self.resident_kib()
            try:
                code, _ = client.data(b"Subject: big\r\n\r\n" + (b"x" * 998 + b"\r\n") * 104_858)
                self.assertEqual(code, 552)
            except smtplib.SMTPServerDisconnected:
                pass
            self.assertLess(self.resident_kib() - before, 150_000)
        self.alive()

    def test_a_loop_of_received_headers_is_refused(self):
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as client:
            client.ehlo("x.example")
            client.mail("a@x.example")
            client.rcpt("bqlctgt@khanhhoa.example")
            loop = b"".join(b"Received: from a by b; Mon, 23 Nov 2026 08:00:00 +0700\r\n" for _ in range(120))
            code, _ = client.data(loop + b"Subject: loop\r\n\r\nx\r\n")
            self.assertEqual(code, 554)

    def test_a_full_account_refuses_and_takes_again_when_there_is_room(self):
        """S8.1 (Điều 8): nothing is lost silently; reading, sending and tidying up go on."""
        own = "ketoantruong.bqlctgt@khanhhoa.example"
        self.server.cli("account", "set-quota", own, "1 MiB")
        self.addCleanup(self.server.cli, "account", "set-quota", own, "5 GiB")

        def send():
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as client:
                client.ehlo("x.example")
                client.mail("a@x.example")
                code, _ = client.rcpt(own)
                return client.data(b"From: a@x.example\r\nSubject: room\r\n\r\n" + b"x" * 70 * 5_000)[0] if code == 250 else code

        codes = []
        while not codes or codes[-1] == 250:
            self.assertLess(len(codes), 10)
            codes.append(send())
        self.assertEqual(codes.count(250), 2, codes)
        self.assertIn(codes[-1], (452, 552), codes)
        imap = self.server.imap(self.server.person("owner"))
        imap.select("INBOX")
        _, found = imap.uid("SEARCH", "SUBJECT", "room")
        self.assertEqual(len(found[0].split()), 2)
        imap.uid("STORE", found[0].split()[0], "+FLAGS", "(\\Deleted)")
        imap.expunge()
        imap.logout()
        self.assertEqual(send(), 250)

    def test_a_broken_mime_body_is_stored_as_it_came(self):
        raw = b"From: a@x.example\r\nSubject: broken\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed\r\n\r\n--\r\n\xff\xfe\r\n"
        with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as client:
            client.ehlo("x.example")
            client.mail("a@x.example")
            client.rcpt("bqlctgt@khanhhoa.example")
            self.assertEqual(client.data(raw)[0], 250)
        imap = self.server.imap(self.server.person("staff"), "bqlctgt@khanhhoa.example")
        imap.select("INBOX")
        _, found = imap.uid("SEARCH", "SUBJECT", "broken")
        _, data = imap.uid("FETCH", found[0].split()[-1], "(BODYSTRUCTURE BODY.PEEK[])")
        self.assertIn(b"\xff\xfe", data[0][1])
        imap.logout()


if __name__ == "__main__":
    unittest.main()
