// The rival of benches/rival.rs: a Colyseus room of movers, moved by the same sums as movers.rs moves them. Prints the port
// that it listens on.

import http from "node:http";
import { matchMaker, Room, Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const TICK_RATE = 20;

const sixteen = { x: t.uint16(), y: t.uint16(), vx: t.int16(), vy: t.int16(), heading: t.uint16() };
const Mover = schema(sixteen, "Mover");
const State = schema({ movers: t.map(Mover) }, "State");

/** An integer division that truncates, as Rust's does. */
const part = (value, whole) => Math.trunc(value / whole);

class Movers extends Room {
    onCreate() {
        this.maxClients = 10_000;
        // A snapshot per tick: sent by the tick itself.
        this.patchRate = null;
        this.setState(new State());
        this.inputs = new Map();
        this.seats = 0;
        this.onMessageBytes(0, (client, bytes) => {
            const input = this.inputs.get(client.sessionId);
            for (let at = 0; at < 3; at++) input[at] = (bytes[at] << 24) >> 24;
        });
        this.setSimulationInterval(() => {
            for (const [id, mover] of this.state.movers) step(mover, this.inputs.get(id));
            this.broadcastPatch();
        }, 1000 / TICK_RATE);
    }

    onJoin(client) {
        const place = (at) => 8192 + (at % 16) * 3072;
        const seat = this.seats++;
        const mover = new Mover();
        Object.assign(mover, { x: place(seat), y: place(part(seat, 16)), vx: 0, vy: 0, heading: 0 });
        this.inputs.set(client.sessionId, [0, 0, 0]);
        this.state.movers.set(client.sessionId, mover);
    }

    onLeave(client) {
        this.inputs.delete(client.sessionId);
        this.state.movers.delete(client.sessionId);
    }
}

function step(mover, [pushX, pushY, turn]) {
    mover.vx += part(pushX, 8) - part(mover.vx, 8);
    mover.vy += part(pushY, 8) - part(mover.vy, 8);
    mover.x = (mover.x + mover.vx) & 0xffff;
    mover.y = (mover.y + mover.vy) & 0xffff;
    mover.heading = (mover.heading + turn * 4) & 0xffff;
}

const server = http.createServer();
const game = new Server({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({ server }) });
game.define("movers", Movers);
await game.listen(0, "127.0.0.1");
console.log(`port ${server.address().port}`);
