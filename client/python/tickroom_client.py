#!/usr/bin/env python3
"""A Tickroom client in one file: joins a room, keeps the server's view, prints a scoreboard, flies a simple bot.

Written from PROTOCOL.md alone. It works for any game: names of entities and fields come from Welcome's schema. Only the
bot knows a few names of controls (CONTROLS, below) and uses those that the schema has.

    pip install websockets
    python tickroom_client.py ws://127.0.0.1:8080/ws --name Ada --seconds 30
"""

import argparse
import asyncio
import cmath
import contextlib
import json
import random
import struct
import sys
import time

try:
    import websockets
    from websockets.exceptions import ConnectionClosed
except ImportError:  # the encoding and the view work without it
    websockets = None

PROTOCOL_VERSION = 2

# --- The encoding (PROTOCOL.md, part 2) --------------------------------------------------------------------------------


class Malformed(Exception):
    """Bytes that are no message. `word` is the one that the golden vectors use."""

    def __init__(self, word, text):
        super().__init__(f"{word}: {text}")
        self.word = word


class Reader:
    """Reads bits, numbers and whole bytes front to back, the lowest bit of each byte first; they must be there."""

    def __init__(self, data):
        self.data, self.at = data, 0  # in bits

    def bits(self, count):
        first, self.at = self.at, self.at + count
        if self.at > 8 * len(self.data):
            raise Malformed("truncated", f"{count} bits wanted at bit {first} of {8 * len(self.data)}")
        return int.from_bytes(self.data[first // 8 : (self.at + 7) // 8], "little") >> first % 8 & (1 << count) - 1

    def take(self, count):
        return self.bits(8 * count).to_bytes(count, "little")

    def unsigned(self, bits=32):
        """One byte below 251, else a marker and 2, 4 or 8 bytes, little-endian."""
        first = self.bits(8)
        if first < 251:
            return first
        width = {251: 16, 252: 32, 253: 64}.get(first)
        if width is None or width > bits:
            raise Malformed("malformed", f"marker {first} is no u{bits}")
        return self.bits(width)

    def number(self, order):
        """In a snapshot's body (6.2): q one-bits and a zero-bit, then order + q bits."""
        ones = 0
        while self.bits(1):
            ones += 1
        value = ((1 << ones) - 1 << order) + self.bits(order + ones)
        if value >> 32:
            raise Malformed("malformed", f"{value} is no u32")
        return value

    def end(self):
        if (left := 8 * len(self.data) - self.at) >= 8 or self.bits(left):
            raise Malformed("trailing", f"{left} bits are left over, or their padding is not 0")


def zigzag(value):
    """0, 1, 2, 3 stand for 0, -1, 1, -2."""
    return (value >> 1) ^ -(value & 1)


def unsigned(value):
    if value < 251:
        return bytes([value])
    marker, width = (251, 2) if value < 1 << 16 else (252, 4) if value < 1 << 32 else (253, 8)
    return bytes([marker]) + value.to_bytes(width, "little")


def signed(value):
    return unsigned(value << 1 if value >= 0 else (-value << 1) - 1)


# A type is a name, or ("option", type), ("list", type), ("record", [(field, type)]), ("enum", [(variant, type or None)]).
# Decoded: a record is a dict, an enum variant its name or {name: value}, bytes are hexadecimal text.


def decode(kind, reader):
    if isinstance(kind, tuple):
        form, of = kind
        if form == "option":
            flag = reader.bits(8)
            if flag > 1:
                raise Malformed("malformed", f"an option begins with {flag}")
            return decode(of, reader) if flag else None
        if form == "list":
            return [decode(of, reader) for _ in range(checked(reader.unsigned(64), reader))]
        if form == "record":
            return {name: decode(field, reader) for name, field in of}
        number = reader.unsigned()
        if number >= len(of):
            raise Malformed("malformed", f"there is no variant {number} of {len(of)}")
        name, value = of[number]
        return name if value is None else {name: decode(value, reader)}
    if kind in ("u16", "u32", "u64"):
        return reader.unsigned(int(kind[1:]))
    if kind == "i32":
        return zigzag(reader.unsigned())
    if kind in ("u8", "fixed u32"):
        return reader.bits(8 if kind == "u8" else 32)
    if kind == "i8":
        return struct.unpack("<b", reader.take(1))[0]
    if kind == "bool":
        if (flag := reader.bits(8)) > 1:
            raise Malformed("malformed", f"a bool is {flag}")
        return flag == 1
    if kind == "16 bytes":
        return reader.take(16).hex()
    data = reader.take(checked(reader.unsigned(64), reader))
    if kind == "bytes":
        return data.hex()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("malformed", "a text is not UTF-8") from None


def checked(count, reader):
    """A length that claims more than any message holds is refused before anything is made of it."""
    if count > 8 * MESSAGE_BYTES_MAX:
        raise Malformed("malformed", f"a length of {count}")
    return count


def encode(kind, value):
    if isinstance(kind, tuple):
        form, of = kind
        if form == "option":
            return b"\0" if value is None else b"\1" + encode(of, value)
        if form == "list":
            return unsigned(len(value)) + b"".join(encode(of, item) for item in value)
        if form == "record":
            return b"".join(encode(field, value[name]) for name, field in of)
        name, inner = (value, None) if isinstance(value, str) else next(iter(value.items()))
        number = [variant for variant, _ in of].index(name)
        return unsigned(number) + (encode(of[number][1], inner) if of[number][1] else b"")
    if kind in ("u16", "u32", "u64"):
        return unsigned(value)
    if kind == "i32":
        return signed(value)
    if kind in ("u8", "bool"):
        return bytes([value])
    if kind == "i8":
        return struct.pack("<b", value)
    if kind == "fixed u32":
        return struct.pack("<I", value)
    if kind == "16 bytes":
        return bytes.fromhex(value)
    data = bytes.fromhex(value) if kind == "bytes" else value.encode()
    return unsigned(len(data)) + data


# --- The messages (PROTOCOL.md, parts 4 and 5), as data ----------------------------------------------------------------

MESSAGE_BYTES_MAX = 65536
CLIENT_MESSAGE_BYTES_MAX = 1024

WISH = ("enum", [("Quick", None), ("Code", "text"), ("Create", ("record", [("private", "bool")])), ("Spectate", ("option", "text"))])
FIELDS = ("list", ("record", [
    ("name", "text"), ("scale", "u32"),
    ("interpolation", ("enum", [("Step", None), ("Linear", None), ("Angle", None), ("Tick", None)])),
    ("drop_bits", "u8"), ("change_order", "u8"), ("value_order", "u8"),
]))
SCHEMA = ("record", [
    ("game", "text"), ("rules", "u32"),
    ("kinds", ("list", ("record", [("name", "text"), ("private", "bool"), ("constant", "bool"), ("fields", FIELDS)]))),
    ("inputs", ("list", ("record", [
        ("name", "text"), ("min", "i32"), ("max", "i32"), ("neutral", ("enum", [("Value", "i32"), ("Hold", None)])),
        ("sort", ("enum", [("Level", None), ("Press", None)])),
    ]))),
    ("events", ("list", ("record", [("name", "text"), ("fields", FIELDS)]))),
])
OCCUPANT = ("record", [("name", "text"), ("presence", ("enum", [("Here", None), ("Away", None), ("Bot", None)]))])

CLIENT = ("enum", [
    ("Hello", ("record", [
        ("protocol", "u16"), ("name", "text"), ("wish", WISH), ("tier", ("enum", [("Full", None), ("Delta", None)])),
        ("resume", ("option", "16 bytes")), ("features", "u32"),
    ])),
    ("Input", ("record", [("seq", "u32"), ("tick", "u32"), ("seen", "u32"), ("seen_ago", "u16"), ("row", ("list", "i32"))])),
    ("Ping", ("record", [("time", "u64"), ("seen", "u32")])),
    ("Resync", None),
    ("Leave", None),
])
SERVER = ("enum", [
    ("Welcome", ("record", [
        ("protocol", "u16"), ("features", "u32"), ("schema", SCHEMA), ("tuning", "bytes"), ("rules_hash", "u32"),
        ("seat", ("option", "u16")), ("token", ("option", "16 bytes")), ("seat_kept_ms", "u32"), ("resumed", "bool"),
        ("code", "text"), ("tick_rate", "u16"), ("ticks_per_snapshot", "u16"), ("epoch", "u64"), ("tick", "u32"),
        ("skipped", "u32"),
    ])),
    ("Roster", ("record", [
        ("since", "u32"), ("version", "u32"),
        ("entries", ("list", ("record", [("seat", "u16"), ("who", ("option", OCCUPANT))]))),
    ])),
    ("Snapshot", ("record", [
        ("tick", "fixed u32"), ("base", "u32"), ("ack", "u32"), ("margin", "i8"), ("flags", "u8"), ("lateness", "u16"),
        ("skipped", "u32"),
    ])),
    ("Pong", ("record", [("time", "u64"), ("server_time", "u64")])),
    ("Closing", ("record", [("code", "u16"), ("text", "text")])),
])
FLAG_NO_INPUT, FLAG_STARVED, FLAG_EVENTS_LOST, FLAG_DIGEST = 1, 2, 4, 8


def encode_message(side, message):
    """`message` is a dict with its name as "type" and its fields."""
    fields = {name: value for name, value in message.items() if name not in ("type", "body")}
    value = {message["type"]: fields} if dict(side[1])[message["type"]] else message["type"]
    return encode(side, value) + bytes.fromhex(message.get("body", ""))


def decode_message(side, data):
    if len(data) > (MESSAGE_BYTES_MAX if side is SERVER else CLIENT_MESSAGE_BYTES_MAX):
        raise Malformed("too_long", f"{len(data)} bytes")
    reader = Reader(data)
    value = decode(side, reader)
    message = {"type": value} if isinstance(value, str) else {"type": next(iter(value)), **next(iter(value.values()))}
    if message["type"] == "Snapshot":
        message["body"] = data[reader.at // 8 :].hex()
    else:
        reader.end()
    return message


# --- The view: what the server says that this client sees (PROTOCOL.md, part 6) ---------------------------------------

TURN, GAP_ORDER, KIND_ORDER, AGE_ORDER = 65536, 5, 3, 1


class Broken(Exception):
    """A snapshot that does not fit the view: send Resync and wait for one with base 0."""


def told(reader, field, order, value):
    """What a field becomes from `value` on by the difference that is told."""
    value += zigzag(reader.number(field[order]))
    if field["interpolation"] == "Angle":
        return value & (TURN >> field["drop_bits"]) - 1
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


class View:
    """Rows by id, as they are on the wire (quantised). `shown` gives them by name and in the game's own units."""

    def __init__(self, schema):
        self.kinds, self.event_kinds = schema["kinds"], schema["events"]
        self.rows = {}  # id -> [kind number, field values]
        self.tick, self.broken, self.events = 0, True, []

    def apply(self, header):
        """Applies a decoded Snapshot. Returns False if it was not looked at, raises Broken if it does not fit."""
        if self.broken and header["base"] != 0:
            return False
        self.broken = True  # until the last byte has been understood
        try:
            self._read(header, bytes.fromhex(header["body"]))
        except (Malformed, IndexError) as error:  # IndexError: the schema has no such kind
            raise Broken(str(error)) from error
        self.broken = False
        return True

    def _read(self, header, body):
        tick, digest = header["tick"], None
        if header["flags"] & FLAG_DIGEST:
            body, digest = body[:-4], int.from_bytes(body[-4:], "little")
        reader = Reader(body)
        if header["base"] == 0:
            self.rows = {}
        elif tick - header["base"] < self.tick:
            raise Broken(f"relative to tick {tick - header['base']}, but the view is at {self.tick}")
        for id in self._ids(reader):
            if self.rows.pop(id, None) is None:
                raise Broken(f"{id} leaves, but it is not held")
        for _, (kind, values) in sorted(self.rows.items()):
            if not self.kinds[kind]["constant"] and reader.bits(1):
                self._change(self.kinds[kind]["fields"], values, reader)
        for id in self._ids(reader):
            if id in self.rows:
                raise Broken(f"{id} enters, but it is held")
            kind = reader.number(KIND_ORDER)
            self.rows[id] = [kind, self._whole(self.kinds[kind]["fields"], tick, reader)]
        self.events = []
        while number := reader.number(KIND_ORDER):
            kind, at = number - 1, tick - reader.number(AGE_ORDER)
            self.events.append({"kind": kind, "tick": at, "fields": self._whole(self.event_kinds[kind]["fields"], at, reader)})
        reader.end()
        self.tick = tick
        if digest is not None and digest != self.digest():
            raise Broken(f"the digest is {self.digest():#010x}, the server's {digest:#010x}")

    def _ids(self, reader):
        """Ascending ids, written as gaps; 0 ends them. Whoever loops over them reads what follows each before the next."""
        id = 0
        while gap := reader.number(GAP_ORDER):
            id += gap
            if id >= 1 << 20:
                raise Broken(f"{id} is no entity id")
            yield id

    def _change(self, fields, values, reader):
        """First every field that moves; then one bit, whether any other changed, and for each of those another."""
        moves = [at for at, field in enumerate(fields) if field["interpolation"] in ("Linear", "Angle")]
        rest = [at for at in range(len(fields)) if at not in moves]
        for at in moves:
            values[at] = told(reader, fields[at], "change_order", values[at])
        for at in rest if rest and reader.bits(1) else ():
            if reader.bits(1):
                values[at] = told(reader, fields[at], "change_order", values[at])

    def _whole(self, fields, tick, reader):
        """A field begins at 0, a tick number at the present tick; what is told is the difference."""
        return [told(reader, f, "value_order", tick if f["interpolation"] == "Tick" else 0) for f in fields]

    def digest(self):
        mask, total = 0xFFFFFFFF, 0
        for id, (kind, values) in self.rows.items():
            h = (id << 8 | kind) * 0x9E3779B1 & mask
            for value in values:
                h = (h ^ value & mask) * 0x85EBCA6B & mask
                h ^= h >> 15
            h = h * 0xC2B2AE35 & mask
            total += h ^ h >> 16
        return total & mask

    def shown(self, kind_name):
        """All entities of a kind: id and {field: value in the unit that people speak of}."""
        for id, (kind, values) in sorted(self.rows.items()):
            if self.kinds[kind]["name"] == kind_name:
                fields = self.kinds[kind]["fields"]
                yield id, {f["name"]: (v << f["drop_bits"]) / f["scale"] for f, v in zip(fields, values)}


# --- The session (PROTOCOL.md, parts 3, 8 and 10) ----------------------------------------------------------------------

# What to do after each close code. Those not listed: "again" below 4000, else "stop".
REACTIONS = {
    1000: "stop", 1002: "stop", 1003: "stop", 1009: "stop", 1011: "new", 4000: "again", 4003: "new", 4004: "new", 4005: "new",
    4006: "new", 4007: "new", 4009: "again", 4010: "again",
}
TOO_FAST = 1008
INPUT_EVERY, PING_EVERY, RESYNC_EVERY, SILENCE, CLOCK_KEPT = 0.1, 1.0, 1.0, 10.0, 30.0


def reaction(code):
    return REACTIONS.get(code, "again" if code < 4000 else "stop")


class Session:
    """One WebSocket: from Hello to Closing. `state` lives on from one session to the next."""

    def __init__(self, state, socket, options):
        self.state, self.socket, self.options = state, socket, options
        self.welcome = self.view = self.code = None
        self.names, self.roster_version = {}, 0
        self.seen = self.seq = 0
        self.row, self.sent_at, self.pinged_at, self.resynced_at = None, 0.0, 0.0, float("-inf")
        self.rtt = self.clock = self.measured_at = None  # microseconds; `clock` is the server's minus ours

    async def send(self, kind, **fields):
        await self.socket.send(encode_message(CLIENT, {"type": kind, **fields}))

    async def run(self):
        """Returns the close code, 1006 if the connection was lost."""
        o = self.options
        await self.send(
            "Hello", protocol=PROTOCOL_VERSION, name=o.name, wish=o.wish, tier=o.tier, resume=self.state.token, features=0
        )
        beat = asyncio.create_task(self.beat())
        try:
            while True:
                await self.take(await asyncio.wait_for(self.socket.recv(), SILENCE))
        except Malformed as error:
            print(f"The server's bytes are no message: {error}", file=sys.stderr)
            await self.socket.close(1002)
            return 1002
        except (TimeoutError, ConnectionClosed):
            return self.code or self.socket.close_code or 1006
        finally:
            beat.cancel()

    async def take(self, data):
        if isinstance(data, str):
            raise Malformed("malformed", "a text frame")
        message = decode_message(SERVER, data)
        if self.welcome is None and message["type"] not in ("Welcome", "Closing"):
            raise Malformed("malformed", f"{message['type']} before Welcome")
        await getattr(self, "take_" + message["type"].lower())(message)

    async def take_welcome(self, welcome):
        self.welcome, self.view = welcome, View(welcome["schema"])
        self.state.token, self.state.failures = welcome["token"], 0
        seat = "watching" if welcome["seat"] is None else f"seat {welcome['seat']}"
        print(f"{welcome['schema']['game']}, room {welcome['code']}, {seat}{', resumed' if welcome['resumed'] else ''}")

    async def take_roster(self, roster):
        if roster["since"] == 0:
            self.names = {}
        elif roster["since"] != self.roster_version:
            return
        self.roster_version = roster["version"]
        for entry in roster["entries"]:
            self.names[entry["seat"]] = entry["who"]

    async def take_snapshot(self, snapshot):
        self.seen = snapshot["tick"]
        self.state.snapshots += 1
        try:
            applied = self.view.apply(snapshot)
        except Broken as error:
            print(f"Resync: {error}", file=sys.stderr)
            applied = False
        now = time.monotonic()
        if not applied and now - self.resynced_at >= RESYNC_EVERY:
            self.resynced_at = now
            self.state.resyncs += 1
            await self.send("Resync")

    async def take_pong(self, pong):
        now = time.monotonic_ns() // 1000
        rtt = now - pong["time"]
        if self.rtt is None or rtt <= self.rtt or now - self.measured_at > CLOCK_KEPT * 1e6:
            self.rtt, self.clock, self.measured_at = rtt, pong["server_time"] + rtt // 2 - now, now

    async def take_closing(self, closing):
        self.code = closing["code"]
        print(f"{closing['text']} ({closing['code']})")

    async def beat(self):
        """Twenty times a second, sends what is due, until the connection is gone."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(0.05)
                if self.welcome:
                    await self.send_due(time.monotonic())

    async def send_due(self, now):
        if self.welcome["seat"] is not None:
            row = self.state.bot.steer(self.welcome["schema"]["inputs"], self.view)
            if row != self.row or now - self.sent_at >= INPUT_EVERY:
                self.row, self.sent_at, self.seq = row, now, self.seq + 1
                await self.send("Input", seq=self.seq, tick=0, seen=self.seen, seen_ago=0, row=row)
        if now - self.pinged_at >= PING_EVERY:
            self.pinged_at = now
            await self.send("Ping", time=time.monotonic_ns() // 1000, seen=self.seen)


# --- The bot and the scoreboard: what this client does with a game it does not know -----------------------------------

CONTROLS = {"turn": "turn towards the nearest", "thrust": "fly", "fire": "shoot when it is ahead"}


class Bot:
    """Flies at the nearest other body. What a body is follows from the schema: two fields that move on a line and one
    that is an angle; ours is the private one. Controls that it does not know stay neutral."""

    def __init__(self):
        self.wander = 0.0

    @staticmethod
    def bodies(view, private):
        for kind in view.kinds if view else ():
            fields = kind["fields"]
            place = [f["name"] for f in fields if f["interpolation"] == "Linear"][:2]
            heading = next((f["name"] for f in fields if f["interpolation"] == "Angle"), None)
            if kind["private"] == private and heading and len(place) == 2:
                for _, row in view.shown(kind["name"]):
                    yield complex(row[place[0]], row[place[1]]), row[heading]

    def steer(self, inputs, view):
        ahead, turn, fire = 0.6, self.wander, 0.0
        if random.random() < 0.02:
            self.wander = random.uniform(-0.5, 0.5)
        for here, heading in self.bodies(view, True):
            others = [place for place, _ in self.bodies(view, False) if abs(place - here) > 20]
            if others:
                to = min(others, key=lambda place: abs(place - here)) - here
                off = (cmath.phase(to) / (2 * cmath.pi) - heading + 0.5) % 1.0 - 0.5  # turns, -0.5 to 0.5
                turn, fire = max(-1.0, min(1.0, off * 12)), float(abs(off) < 0.03 and abs(to) < 600)
        want = {"turn": turn, "thrust": ahead, "fire": fire}
        row = []
        for field in inputs:
            neutral = field["neutral"]["Value"] if isinstance(field["neutral"], dict) else 0
            part = want[field["name"]] if field["name"] in CONTROLS and field["sort"] == "Level" else 0.0
            row.append(round(part * (field["max"] if part > 0 else -field["min"])) if part else neutral)
        return row


def scoreboard(session):
    """Every public table without a place in the world, with names for the column that is called as the roster's."""
    lines = []
    for kind in session.view.kinds:
        fields = kind["fields"]
        if kind["private"] or not fields or any(f["interpolation"] != "Step" or f["scale"] != 1 for f in fields):
            continue
        names = [field["name"] for field in fields]
        lines.append(f"{kind['name']:>20}  " + " ".join(f"{name:>8}" for name in names if name != "seat"))
        rows = [row for _, row in session.view.shown(kind["name"])]
        for row in sorted(rows, key=lambda row: [-row[name] for name in names if name != "seat"]):
            who = session.names.get(row.get("seat")) or {"name": "", "presence": "Here"}
            mark = {"Bot": " (bot)", "Away": " (away)"}.get(who["presence"], "")
            lines.append(f"{who['name'] + mark:>20}  " + " ".join(f"{row[name]:8.0f}" for name in names if name != "seat"))
    return "\n".join(lines)


# --- Running it --------------------------------------------------------------------------------------------------------


class State:
    """What outlives a session."""

    def __init__(self):
        self.token, self.failures, self.bot = None, 0, Bot()
        self.sessions = self.snapshots = self.resyncs = 0


async def play(options):
    """Plays until the time is up or the server says stop; reconnects as PROTOCOL.md 3.4 says. Returns the exit code."""
    state, end = State(), time.monotonic() + options.seconds
    while (left := end - time.monotonic()) > 0:
        code = 1006
        try:
            async with asyncio.timeout(left):
                async with websockets.connect(options.url, compression=None, max_size=MESSAGE_BYTES_MAX) as socket:
                    session = Session(state, socket, options)
                    state.sessions += 1
                    printer = asyncio.create_task(print_now_and_then(session, options.board))
                    try:
                        code = await session.run()
                    finally:
                        printer.cancel()
                        if time.monotonic() >= end and session.welcome:
                            await session.send("Leave")
        except TimeoutError:
            if time.monotonic() >= end:
                break
        except OSError as error:
            print(f"No connection: {error}", file=sys.stderr)
        except websockets.exceptions.InvalidHandshake as error:
            print(f"No WebSocket: {error}", file=sys.stderr)
        what = reaction(code)
        if what != "again":
            return 0 if code == 1000 else 3
        wait = min(8.0, 0.5 * 2**state.failures) * random.uniform(1.0, 1.5)
        state.failures += 1
        await asyncio.sleep(max(wait, 8.0 if code == TOO_FAST else 0.0))
    print(json.dumps({"sessions": state.sessions, "snapshots": state.snapshots, "resyncs": state.resyncs}))
    return 0


async def print_now_and_then(session, every):
    while every:
        await asyncio.sleep(every)
        if session.view:
            rtt = "" if session.rtt is None else f", round trip {session.rtt / 1000:.1f} ms"
            print(f"\ntick {session.view.tick}, {len(session.view.rows)} entities{rtt}\n{scoreboard(session)}")


def main():
    parser = argparse.ArgumentParser(description="Joins a Tickroom room and flies a simple bot.")
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8080/ws")
    parser.add_argument("--name", default="Python")
    parser.add_argument("--code", help="join the room with this code; with --watch, watch it")
    parser.add_argument("--watch", action="store_true", help="take no seat")
    parser.add_argument("--full", action="store_true", help="the full tier instead of the delta tier")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long to play")
    parser.add_argument("--board", type=float, default=5.0, help="seconds between scoreboards; 0: none")
    options = parser.parse_args()
    if websockets is None:
        parser.error("install websockets: pip install websockets")
    options.wish = {"Spectate": options.code} if options.watch else {"Code": options.code} if options.code else "Quick"
    options.tier = "Full" if options.full else "Delta"
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(play(options)))


if __name__ == "__main__":
    main()
