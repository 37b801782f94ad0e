"""A JMAP client that others wrote (npm: jmap-jam) against the server: RFC 8620, RFC 8621, S9.1 (Điều 9)."""

import json
import os
import subprocess
import unittest

from harness import ROOT, Server


class Jmap(unittest.TestCase):
    def test_a_client_that_others_wrote_does_a_days_mail(self):
        server = Server()
        self.addCleanup(server.remove)
        done = subprocess.run(
            ["node", str(ROOT / "webapp/e2e/jmap-client.mjs")], capture_output=True, text=True, timeout=120,
            env={**os.environ, "ORIGIN": server.http, "PERSON": json.dumps(server.person("staff")),
                 "SHARED": json.dumps("bqlctgt@khanhhoa.example")})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + server.log())


if __name__ == "__main__":
    unittest.main()
