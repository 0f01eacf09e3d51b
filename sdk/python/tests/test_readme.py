"""What the README shows is run as it stands there, on a log that the tests make."""

import contextlib
import http.server
import io
import os
import re
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import made
import test_client


class Readme(unittest.TestCase):
    def run_example(self, code):
        """What an example prints in a folder with the files that it names."""
        leaves, out = test_client.LEAVES, io.StringIO()
        envelope, proof = made.receipt(leaves, 5, test_client.NOTE)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), test_client.Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        before = os.getcwd()
        try:
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                os.mkdir("receipts")
                Path("log.vkey").write_text(made.VKEY + "\n")
                Path("quorum.policy").write_text(made.POLICY)
                Path("receipts/2a2d….intoto.jsonl").write_bytes(envelope)
                Path("receipts/2a2d….tlog-proof").write_bytes(proof)
                node = f"http://127.0.0.1:{server.server_port}"
                code = code.replace("https://node.example", node)
                clock = mock.patch("time.time", lambda: test_client.AT)
                with contextlib.redirect_stdout(out), clock:
                    exec(compile(code, "README.md", "exec"), {})
        finally:
            os.chdir(before)
            server.shutdown()
            server.server_close()
        return out.getvalue()

    def test_its_examples_run(self):
        readme = made.REPOSITORY / "sdk/python/README.md"
        receipt, lookup = re.findall("```python\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
        self.assertEqual(self.run_example(receipt), "5 {'says': 1} ('w0', 'w1')\n")
        said = self.run_example(lookup)
        self.assertEqual(said.count("urn:x ['Example'] False"), 2)
        self.assertIn(f"complete as of {made.NOW_MS}", said)


if __name__ == "__main__":
    unittest.main()
