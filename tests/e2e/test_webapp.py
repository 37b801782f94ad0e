"""What a browser loads first is small, and there again without a line."""

import re
import unittest
import urllib.request

from harness import Server

# Bytes of script on the wire before the first screen.
MOST_SCRIPT = 250_000


class WebApp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)

    def get(self, path, encoding="br"):
        request = urllib.request.Request(self.server.http + path, headers={"Accept-Encoding": encoding})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.headers, answer.read()

    def test_the_first_load_is_small(self):
        _, page = self.get("/", "identity")
        scripts = re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', page.decode())
        self.assertTrue(scripts)
        total = 0
        for script in scripts:
            headers, body = self.get(script)
            self.assertEqual(headers["Content-Encoding"], "br", script)
            self.assertIn("immutable", headers["Cache-Control"])
            total += len(body)
        self.assertLess(total, MOST_SCRIPT)

    def test_it_can_be_installed(self):
        headers, _ = self.get("/manifest.webmanifest", "identity")
        self.assertEqual(headers["Content-Type"], "application/manifest+json")
        headers, worker = self.get("/sw.js", "identity")
        self.assertEqual(headers["Cache-Control"], "no-cache")
        self.assertIn(b"caches.open", worker)
        self.assertNotIn("Content-Encoding", headers)


if __name__ == "__main__":
    unittest.main()
