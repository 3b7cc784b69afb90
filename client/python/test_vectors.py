"""The golden vectors, read by the Python client: python -m unittest client/python/test_vectors.py"""

import json
import pathlib
import unittest

import tickroom_client as client

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "assets" / "golden"


def golden(name):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def type_named(name):
    """"option of list of u16" as the client writes types."""
    for form in ("option", "list"):
        if name.startswith(f"{form} of "):
            return (form, type_named(name.removeprefix(f"{form} of ")))
    return name


class Integers(unittest.TestCase):
    def test_values_go_both_ways(self):
        for vector in golden("integers.json")["values"]:
            with self.subTest(**vector):
                kind, data = type_named(vector["type"]), bytes.fromhex(vector["hex"])
                reader = client.Reader(data)
                self.assertEqual(client.decode(kind, reader), vector["value"])
                reader.end()
                self.assertEqual(client.encode(kind, vector["value"]), data)

    def test_longer_forms_are_read(self):
        for vector in golden("integers.json")["longer"]:
            with self.subTest(**vector):
                reader = client.Reader(bytes.fromhex(vector["hex"]))
                self.assertEqual(client.decode(type_named(vector["type"]), reader), vector["value"])
                reader.end()

    def test_what_is_no_value_is_refused(self):
        for vector in golden("integers.json")["refused"]:
            with self.subTest(**vector), self.assertRaises(client.Malformed) as caught:
                client.decode(type_named(vector["type"]), client.Reader(bytes.fromhex(vector["hex"])))
            self.assertEqual(caught.exception.word, vector["error"], vector)


class Messages(unittest.TestCase):
    def test_every_message_goes_both_ways(self):
        for side, name in ((client.CLIENT, "client"), (client.SERVER, "server")):
            for vector in golden("messages.json")[name]:
                with self.subTest(vector["name"]):
                    data = bytes.fromhex(vector["hex"])
                    self.assertEqual(client.decode_message(side, data), vector["value"])
                    self.assertEqual(client.encode_message(side, vector["value"]), data)

    def test_what_is_no_message_is_refused(self):
        for side, name in ((client.CLIENT, "client"), (client.SERVER, "server")):
            for vector in golden("refusals.json")[name]:
                with self.subTest(vector["name"]), self.assertRaises(client.Malformed) as caught:
                    client.decode_message(side, bytes.fromhex(vector["hex"]))
                self.assertEqual(caught.exception.word, vector["error"], vector["name"])


class Snapshots(unittest.TestCase):
    def test_the_view_follows_the_stream(self):
        vectors = golden("snapshots.json")
        view = client.View(vectors["schema"])
        for step in vectors["steps"]:
            with self.subTest(step["name"]):
                snapshot = client.decode_message(client.SERVER, bytes.fromhex(step["hex"]))
                try:
                    answer = "applied" if view.apply(snapshot) else "ignored"
                except client.Broken:
                    answer = "resync"
                self.assertEqual(answer, step["answer"])
                if answer == "applied":
                    held = [{"id": id, "kind": kind, "fields": values} for id, (kind, values) in sorted(view.rows.items())]
                    self.assertEqual(held, step["view"])
                    self.assertEqual(view.events, step["events"])
                    self.assertEqual(view.digest(), step["digest"])


class Session(unittest.TestCase):
    def test_a_recorded_session_is_understood(self):
        view, compared = None, 0
        for step in golden("session.json")["messages"]:
            side = client.CLIENT if step["from"] == "client" else client.SERVER
            message = client.decode_message(side, bytes.fromhex(step["hex"]))
            self.assertEqual(message, step["value"])
            if message["type"] == "Welcome":
                view = client.View(message["schema"])
            elif message["type"] == "Snapshot":
                self.assertTrue(view.apply(message))
                held = {"tick": view.tick, "entities": len(view.rows), "events": len(view.events), "digest": view.digest()}
                self.assertEqual(held, step["held"])
                compared += 1
        self.assertGreater(compared, 40)


if __name__ == "__main__":
    unittest.main()
