"""The Python client against `tickroom conformance`: takes about a minute, and a build of the server if there is none."""

import json
import pathlib
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGAIN_AFTER = 2.0  # seconds; the runner wants a client that ended to be started anew, but not at once


class Conformance(unittest.TestCase):
    def test_every_step_of_the_script_passes(self):
        subprocess.run(["cargo", "build", "--quiet", "--bin", "tickroom"], cwd=ROOT, check=True, timeout=1200)
        target = json.loads(
            subprocess.run(
                ["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=ROOT, check=True, capture_output=True
            ).stdout
        )["target_directory"]
        runner = subprocess.Popen(
            [f"{target}/debug/tickroom", "conformance", "--listen", "127.0.0.1:0", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(runner.kill)
        url = runner.stderr.readline().split()[-1]
        over = threading.Event()
        player = threading.Thread(target=self.play_again_and_again, args=(url, over))
        player.start()
        try:
            said, _ = runner.communicate(timeout=200)
        finally:
            over.set()
            player.join()
        report = json.loads(said)
        wrong = [step for step in report["steps"] if step["verdict"] != "passed"]
        self.assertEqual(wrong, [])
        self.assertEqual(runner.returncode, 0)
        self.assertGreater(len(report["steps"]), 30)

    @staticmethod
    def play_again_and_again(url, over):
        script = pathlib.Path(__file__).with_name("tickroom_client.py")
        while not over.is_set():
            client = subprocess.Popen(
                [sys.executable, script, url, "--board", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while client.poll() is None:
                if over.wait(0.05):
                    client.kill()
                    client.wait()
            over.wait(AGAIN_AFTER)


if __name__ == "__main__":
    unittest.main()
